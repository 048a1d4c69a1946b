// Pads of large keys: staff PIN, barcode, cash.

import { find, make, makeButton, makeIcon, replay, say } from "./dom.js";
import { likelyNotes, parseYuan, yuan } from "./format.js";
import { t } from "./texts.js";

const PIN_MAX = 8;
const CODE_MAX = 48;
const CASH_KEY = /^[0-9.]$/;
/** Articles' codes are digits; those on phones, such as a cart's, have letters of both cases and signs. */
const CODE_KEY = /^[!-~]$/;
const typed = { code: "", cash: "" };
let due = 0;

/** Build every pad of the page; `act(action, values)` resolves to null or {error, message}. */
export function buildPads(act) {
  for (const box of document.querySelectorAll("[data-pin]")) buildPinPad(box, act);
  fillPad(find("[data-pad=code]"), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0", "erase"], typeCode);
  fillPad(find("[data-pad=cash]"), ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "erase"], typeCash);
  find("[data-code-send]").addEventListener("click", () => sendCode(act));
  find("[data-cash-take]").addEventListener("click", (event) => askCash(event.currentTarget, act));
  find("[data-part-take]").addEventListener("click", (event) => takeCash(event.currentTarget, act));
  listenToKeys(act);
  find("[data-quick]").addEventListener("click", (event) => {
    const button = event.target.closest("[data-fen]");
    if (button) setCash((Number(button.dataset.fen) / 100).toFixed(2));
  });
}

/** Let the keys of a keyboard do what touching the pad's keys does. Enter sends a code, and never takes money. */
function listenToKeys(act) {
  document.addEventListener("keydown", (event) => {
    const onKey = shownPad();
    if (!onKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") {
      if (onKey === typeCode) sendCode(act);
      if (event.target.closest?.("[data-act], [data-close], [data-cash-take]")) return;
    } else if (event.key === "Backspace") onKey("erase");
    else if ((onKey === typeCode ? CODE_KEY : CASH_KEY).test(event.key)) onKey(event.key);
    else return;
    event.preventDefault();
  });
}

function shownPad() {
  if (find("[data-pad=code]").offsetParent) return typeCode;
  return find("[data-pad=cash]").offsetParent ? typeCash : null;
}

/** Forget what was typed; called when an overlay opens or closes, so that no PIN stays on the screen. */
export function clearPads() {
  typed.code = "";
  say(find("[data-typed]"), "");
  for (const box of document.querySelectorAll("[data-pin]")) box.dispatchEvent(new Event("wipe"));
}

/** Show the cash pad for what is due; another amount begins a new count. */
export function showCash(order) {
  const dueNow = order?.due_fen ?? 0;
  if (dueNow !== due) typed.cash = "";
  due = dueNow;
  const quick = find("[data-quick]");
  const key = `${due} ${t("cash_exact")}`;
  if (quick.dataset.key !== key) {
    quick.dataset.key = key;
    quick.replaceChildren(...likelyNotes(due).map(quickButton));
  }
  setCash(typed.cash);
}

function quickButton(fen) {
  const words = fen === due ? [make("small", "", t("cash_exact")), yuan(fen)] : [yuan(fen)];
  return makeButton("quiet", { fen: String(fen) }, ...words);
}

function fillPad(pad, keys, onKey) {
  for (const key of keys) {
    const button = makeButton("key", { key }, key === "erase" ? makeIcon("erase") : key);
    if (key === "erase") button.dataset.tLabel = "erase";
    pad.append(button);
  }
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    if (button) onKey(button.dataset.key);
  });
}

function buildPinPad(box, act) {
  const dots = make("p", "dots");
  const problem = make("p", "pin-problem");
  const title = make("p", "pin-title");
  title.dataset.t = "pin_staff";
  problem.setAttribute("role", "alert");
  const pad = make("div", "pad");
  box.append(title, dots, problem, pad);
  let pin = "";
  const showPin = () => say(dots, "●".repeat(pin.length));
  box.addEventListener("wipe", () => {
    pin = "";
    showPin();
    say(problem, "");
  });
  const submit = async () => {
    if (!pin) return;
    const { pin: action, basket } = box.dataset;
    const error = await act(action, basket ? { pin, basket_id: basket } : { pin }, true);
    box.dispatchEvent(new Event("wipe"));
    if (error) {
      say(problem, t(error.error === "unreachable" ? "error_unreachable" : "pin_wrong"));
      replay(box, "shake");
    } else if (box.dataset.pin === "reprint") {
      document.dispatchEvent(new Event("pin-done"));
    }
  };
  fillPad(pad, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "ok"], (key) => {
    if (key === "ok") {
      submit();
      return;
    }
    pin = key === "erase" ? pin.slice(0, -1) : (pin + key).slice(0, PIN_MAX);
    showPin();
  });
  const ok = find("[data-key=ok]", pad);
  ok.replaceChildren(makeIcon("check"));
  ok.classList.add("ok");
  ok.dataset.tLabel = "confirm";
}

function typeCode(key) {
  typed.code = key === "erase" ? typed.code.slice(0, -1) : (typed.code + key).slice(0, CODE_MAX);
  say(find("[data-typed]"), typed.code);
}

async function sendCode(act) {
  if (!typed.code) return;
  const error = await act("type_code", { text: typed.code });
  if (!error) document.dispatchEvent(new Event("code-sent"));
}

function typeCash(key) {
  const next = key === "erase" ? typed.cash.slice(0, -1) : typed.cash + key;
  if (next === "" || parseYuan(next) !== null) setCash(next);
}

function setCash(text) {
  typed.cash = text;
  const received = parseYuan(text) ?? 0;
  const enough = received >= due && due > 0;
  const part = received > 0 && !enough;
  say(find("[data-received]"), text ? `¥${text}` : "¥0");
  say(find("[data-change-label]"), t(enough ? "cash_change" : "cash_missing"));
  say(find("[data-change]"), yuan(Math.abs(received - due)));
  find("#cash").classList.toggle("enough", enough);
  const take = find("[data-cash-take]");
  take.disabled = !enough && !part;
  take.classList.toggle("primary", !part);
  take.classList.toggle("quiet", part);
  say(find("[data-take]"), part ? t("cash_part", { amount: yuan(received) }) : t("cash_take"));
  say(find("[data-part-title]"), t("part_title", { amount: yuan(received) }));
  say(find("[data-part-lead]"), t("part_lead", { rest: yuan(due - received) }));
}

/** Take what covers the order at once; ask first whether a part is meant, for it cannot be taken back here. */
function askCash(button, act) {
  if ((parseYuan(typed.cash) ?? 0) >= due) takeCash(button, act);
  else document.dispatchEvent(new Event("part-cash"));
}

async function takeCash(button, act) {
  const received = parseYuan(typed.cash);
  if (!received || button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  const error = await act("cash", { received_fen: received, due_fen: due });
  button.ariaBusy = "false";
  document.dispatchEvent(new Event("cash-taken"));
  if (!error) typed.cash = "";
}
