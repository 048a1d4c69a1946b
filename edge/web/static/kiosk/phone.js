// The code by which a phone takes the basket over or pays it, and what the screen says while a phone pays.

import { find, say, show } from "./dom.js";
import { t } from "./texts.js";

const PHONE_WAYS = new Set(["native", "jsapi"]);

/** Show the code wherever there is one for it. `view.phone`: {url, token}, null while there is nothing to hand over. */
export function showPhone({ phone }) {
  const address = phone ? `/phone/k/${encodeURIComponent(phone.token)}/qr.svg` : "";
  for (const box of document.querySelectorAll("[data-to-phone]")) {
    show(box, Boolean(phone));
    const picture = find("img", box);
    if (phone && picture.getAttribute("src") !== address) picture.src = address;
    picture.alt = t("to_phone_title");
  }
  document.body.classList.toggle("to-phone", Boolean(phone));
}

/** Whether this payment is one that a phone makes by itself at a kiosk; then say so. */
export function showPhonePays(attempt) {
  const pays = document.body.dataset.kind === "kiosk" && PHONE_WAYS.has(attempt?.way);
  const screen = find(".screen.waiting");
  screen.classList.toggle("phone-pays", pays);
  show(find("[data-phone-here]"), pays);
  if (!pays) return;
  const closing = attempt.seconds_left === 0;
  say(find("[data-attempt-title]"), t(closing ? "attempt_phone_closing" : "attempt_phone"));
  say(find("[data-attempt-lead]"), t(closing ? "attempt_phone_closing_more" : "attempt_phone_more"));
}
