// Whose parking the purchase pays: a pad for the plate, and what came of it.

import { find, replay, say, show } from "./dom.js";
import { PlatePad } from "./plate_pad.js";
import { own, t } from "./texts.js";

let pad = null;

/** Build the pad; `act(action, values, quiet)` resolves to null or {error, message}. */
export function buildPlatePad(act) {
  pad = new PlatePad(find("[data-overlay=plate]"), (plate) => send(act, "parking_plate", { plate }));
  find("[data-no-car]").addEventListener("click", () => send(act, "no_car", {}));
}

/** Forget what was typed; called when the sheet opens or closes. */
export function clearPlate() {
  pad?.clear();
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
  pad?.update();
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

async function send(act, action, values) {
  const error = await act(action, values, true);
  if (!error) {
    document.dispatchEvent(new Event("plate-done"));
    return;
  }
  pad.tell(t(error.error === "unreachable" ? "error_unreachable" : `plate_${error.error}`) || t("plate_invalid"));
  replay(find("[data-overlay=plate] .pinpad"), "shake");
}
