// Whose parking the purchase pays: a pad for the plate, and what came of it.

import { find, make, makeButton, makeIcon, refill, replay, say, show } from "./dom.js";
import { own, t } from "./texts.js";

const FULL = 7;
const LONGEST = 8;
let typed = "";

/** Build the pad; `act(action, values, quiet)` resolves to null or {error, message}. */
export function buildPlatePad(act) {
  const pad = find("[data-plate-pad]");
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    if (button) type(button.dataset.key);
  });
  find("[data-plate-send]").addEventListener("click", () => send(act, "parking_plate", { plate: typed }));
  find("[data-no-car]").addEventListener("click", () => send(act, "no_car", {}));
  document.addEventListener("keydown", (event) => {
    if (!pad.offsetParent || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && !event.target.closest?.("button")) find("[data-plate-send]").click();
    else if (event.key === "Backspace") type("erase");
    else if (typed && pad.dataset.letters.includes(event.key.toUpperCase())) type(event.key.toUpperCase());
    else return;
    event.preventDefault();
  });
}

/** Forget what was typed; called when the sheet opens or closes. */
export function clearPlate() {
  typed = "";
  say(find("[data-plate-problem]"), "");
  update();
}

/** Offer the pad and say what was validated; null: this box validates nothing. */
export function showParking({ parking, screen }) {
  const done = Boolean(parking?.counted);
  for (const button of document.querySelectorAll("[data-parking-open]")) {
    show(button, Boolean(parking) && !done);
    say(find("span", button), buttonWords(parking));
  }
  const said = find("[data-parking-said]");
  show(said, screen === "paid" && done);
  said.classList.toggle("none", !parking?.validated?.length);
  say(find("span", said), parking && done ? outcome(parking) : "");
  update();
}

function buttonWords(parking) {
  if (parking?.plate) return t("plate_is", { plate: parking.plate });
  if (parking?.member) return t("plate_member");
  return t(parking?.no_car ? "plate_none" : "plate_open");
}

function outcome(parking) {
  if (!parking.validated.length) return t("plate_nothing", { plate: parking.plate });
  const what = parking.validated.map((one) => own(one, "words")).join(" + ");
  return t("plate_validated", { what, plate: parking.plate });
}

function type(key) {
  if (key === "erase") typed = typed.slice(0, -1);
  else if (typed.length < LONGEST) typed += key;
  say(find("[data-plate-problem]"), "");
  update();
}

function update() {
  find("[data-plate-send]").disabled = typed.length < FULL;
  const slots = Array.from({ length: LONGEST }, (_, at) => slot(at));
  refill(find("[data-plate]"), typed, () => slots);
  const pad = find("[data-plate-pad]");
  const { provinces, letters, tails } = pad.dataset;
  const keys = [...(typed ? letters : provinces), ...(typed.length > 1 ? tails : ""), "erase"];
  refill(pad, `${typed.length > 1} ${typed.length > 0} ${t("erase")}`, () => keys.map(keyButton));
}

function slot(at) {
  const node = make("span", "", typed[at] ?? "");
  node.classList.toggle("next", at === typed.length);
  node.classList.toggle("spare", at === FULL && typed.length < LONGEST && at !== typed.length);
  return node;
}

function keyButton(key) {
  const button = makeButton("key", { key }, key === "erase" ? makeIcon("erase") : key);
  if (key === "erase") button.setAttribute("aria-label", t("erase"));
  return button;
}

async function send(act, action, values) {
  const error = await act(action, values, true);
  if (!error) {
    document.dispatchEvent(new Event("plate-done"));
    return;
  }
  say(find("[data-plate-problem]"), t(error.error === "unreachable" ? "error_unreachable" : `plate_${error.error}`) || t("plate_invalid"));
  replay(find("[data-overlay=plate] .pinpad"), "shake");
}
