// The questions of the counter's tablet, each a dialog that is answered or closed.

import { find, make, makeButton, say, show } from "../kiosk/dom.js";
import { parseYuan, yuan } from "../kiosk/format.js";
import { own, t } from "../kiosk/texts.js";

const QUICK_PERMILLE = [50, 100, 150, 200];

/** Ask a dialog; returns its values, or null when it was closed. `sum` is shown where it has a place. */
export function ask(name, sum = null) {
  const dialog = find(`[data-dialog=${name}]`);
  find("form", dialog).reset();
  if (sum !== null) say(find("[data-pay-sum]", dialog), yuan(sum));
  return opened(dialog);
}

/** Ask for a line's new price; returns {price_fen, reason, pin} or null. */
export function askPrice(line, limits) {
  const dialog = find("[data-dialog=price]");
  const form = find("form", dialog);
  form.reset();
  say(find("[data-price-of]", dialog), own(line, "name"));
  say(find("[data-price-was]", dialog), t("counter_price_was", { sum: yuan(line.own_price_fen) }));
  const reasons = t("counter_reasons").split("|");
  find("#reasons").replaceChildren(...reasons.map((reason) => Object.assign(make("option"), { value: reason })));
  const field = form.elements.price;
  const check = () => checkPrice(dialog, line, limits, parseYuan(field.value));
  find("[data-quick]", dialog).replaceChildren(...quick(line, limits).map(({ off, fen }) => {
    const button = makeButton("quiet", { fen }, t("counter_off", { percent: off / 10 }));
    button.addEventListener("click", () => { field.value = (fen / 100).toFixed(2); check(); });
    return button;
  }));
  field.oninput = check;
  check();
  return opened(dialog);
}

function quick(line, limits) {
  return QUICK_PERMILLE.filter((off) => off <= limits.supervisor_permille)
    .map((off) => ({ off, fen: Math.ceil((line.own_price_fen * (1000 - off)) / 1000) }));
}

function checkPrice(dialog, line, limits, fen) {
  const field = find("form", dialog).elements.price;
  const off = fen === null ? 0 : Math.ceil(((line.own_price_fen - fen) * 1000) / line.own_price_fen);
  const beyond = off > limits.guide_permille;
  const impossible = fen !== null && (off <= 0 || off > limits.supervisor_permille);
  show(find("[data-needs-pin]", dialog), beyond && !impossible);
  find("form", dialog).elements.pin.required = beyond && !impossible;
  const hint = impossible
    ? t("counter_price_impossible", { percent: limits.supervisor_permille / 10 })
    : t("counter_price_limit", { percent: limits.guide_permille / 10 });
  say(find("[data-price-hint]", dialog), hint);
  field.setCustomValidity(impossible ? hint : "");
}

function opened(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  const first = find("form", dialog).elements[0];
  if (first?.tagName === "INPUT") first.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? valuesOf(dialog) : null), { once: true });
  });
}

function valuesOf(dialog) {
  const fields = find("form", dialog).elements;
  const values = {};
  for (const name of ["name", "reason", "pin", "code"]) {
    if (fields[name]?.value) values[name] = fields[name].value.trim();
  }
  if (fields.price) values.price_fen = parseYuan(fields.price.value);
  if (fields.quantity) values.quantity = Number(fields.quantity.value);
  find("form", dialog).reset();
  return values;
}

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
