// Pay parking: find the stay by its plate, see what it costs and why, put it on the screen.

import { find, make, makeButton, replay, say, show } from "./dom.js";
import { yuan } from "./format.js";
import { PlatePad } from "./plate_pad.js";
import { own, t } from "./texts.js";

const TIMEOUT_MS = 10000;
let pad = null;

/** Build the sheet; `act(action, values, quiet)` resolves to null or {error, message}. */
export function buildFee(act) {
  const sheet = find("[data-overlay=fee]");
  pad = new PlatePad(sheet, (plate) => search(plate));
  find("[data-fee-stays]").addEventListener("click", async (event) => {
    const button = event.target.closest("[data-stay]");
    if (!button) return;
    const error = await act("pay_stay", { stay: button.dataset.stay }, true);
    if (error) tell(error.error === "unreachable" ? "error_unreachable" : "fee_busy");
  });
}

/** Forget what was typed and found; called when a sheet opens or closes. */
export function clearFee() {
  pad?.clear();
  list([]);
}

/** Offer it where there are lanes; show why a fee is what it is, and until when to leave. */
export function showFee({ fees, stays, screen }) {
  for (const button of document.querySelectorAll("[data-fee-open]")) show(button, Boolean(fees));
  const lines = screen === "checkout" ? (stays ?? []).flatMap((stay) => own(stay, "lines")) : [];
  const why = find("[data-fee-why]");
  show(why, lines.length > 0);
  if (why.dataset.key !== lines.join("|")) {
    why.dataset.key = lines.join("|");
    why.replaceChildren(...lines.map((line) => make("li", "", line)));
  }
  const leaving = (stays ?? []).find((stay) => stay.leave_by !== null);
  const said = find("[data-leave-by]");
  show(said, screen === "paid" && Boolean(leaving));
  if (leaving) say(find("span", said), t("fee_leave_by", { time: clock(leaving.leave_by) }));
}

function clock(at) {
  const { zone } = document.body.dataset;
  return new Date(at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: zone });
}

async function search(plate) {
  const { workstation } = document.body.dataset;
  const address = `/api/kiosk/${encodeURIComponent(workstation)}/stays?plate=${encodeURIComponent(plate)}`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const stays = answer.ok ? await answer.json() : [];
    list(stays, plate);
    if (!stays.length) tell(answer.status === 400 ? "plate_invalid" : "fee_not_found");
  } catch {
    tell("error_unreachable");
  }
}

function tell(key) {
  pad.tell(t(key));
  replay(find("[data-overlay=fee] .pinpad"), "shake");
}

function list(stays, plate = "") {
  const node = find("[data-fee-stays]");
  show(node, stays.length > 0);
  find("[data-overlay=fee]").classList.toggle("found", stays.length > 0);
  node.replaceChildren(...stays.map((stay) => row(stay, plate)));
}

function picture(stay, plate) {
  if (!stay.photo) return "";
  const image = make("img", "fee-photo");
  const { workstation } = document.body.dataset;
  const query = new URLSearchParams({ plate, stay: stay.id });
  image.src = `/api/kiosk/${encodeURIComponent(workstation)}/stays/photo?${query}`;
  image.alt = t("fee_photo");
  return image;
}

function row(stay, plate) {
  const head = make("p", "fee-head", make("strong", "", stay.plate), make("span", "", `${t("parking_entered")} ${stay.entered}`));
  const lines = make("ul", "fee-lines", ...own(stay, "lines").map((line) => make("li", "", line)));
  if (stay.debt_fen) lines.append(make("li", "", `${t("parking_debts")} ${yuan(stay.debt_fen)}`));
  const pay = stay.due_fen
    ? makeButton("primary", { stay: stay.id }, `${t("parking_pay")} ${yuan(stay.due_fen)}`)
    : make("strong", "fee-none", t("parking_nothing_due"));
  return make("li", "", make("div", "", head, make("p", "fee-summary", own(stay, "summary")), lines), picture(stay, plate), pay);
}
