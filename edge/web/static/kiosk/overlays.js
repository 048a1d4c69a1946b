// Sheets over the screen. The box asks for "age" and "help"; the others are opened by touch.

import { find, make, makeButton, refill, say, show } from "./dom.js";
import { countUp } from "./countdown.js";
import { yuan } from "./format.js";
import { clearPads } from "./pads.js";
import { clearFee } from "./fee.js";
import { clearPlate } from "./plate.js";
import { t } from "./texts.js";

let opened = null;
let helpClosed = null;
let screen = null;
let view = null;
let cameFrom = null;

/** Open one of the sheets that are opened by touch. */
export function openSheet(name) {
  opened = name;
  update();
}

/** Close what is open; a help call stays open at the box, its sheet only makes way. */
export function closeSheet() {
  if (!opened || opened === "help") helpClosed = view?.help?.called_at ?? null;
  opened = null;
  update();
}

/** Show what the box asks for; another screen closes sheets that belonged to the last one. */
export function showSheets(newView) {
  view = newView;
  // A first ticket opens the basket; the next one is looked for in the same sheet.
  if (screen !== view.screen && !(opened === "tickets" && view.screen === "basket")) opened = null;
  screen = view.screen;
  if (!view.help) {
    helpClosed = null;
    if (opened === "help") opened = null;
  }
  say(find("[data-age]"), view.age ? `${view.age.min_age}+` : "");
  say(find("[data-age-lead]"), t(ageLead()));
  const called = view.help?.called_at;
  countUp("help", called, (seconds) => {
    for (const node of document.querySelectorAll("[data-help-for]")) say(node, seconds < 3600 ? waitedFor(seconds) : "");
  });
  if (!called) say(find("[data-overlay=age] [data-help-for]"), "");
  document.body.classList.toggle("help-called", Boolean(view.help));
  showHeld(view.held ?? []);
  update();
}

function ageLead() {
  if (view.kind === "till") return "age_lead_till";
  return view.help ? "age_lead_coming" : "age_lead";
}

function wanted() {
  if (opened) return opened;
  if (view?.age) return "age";
  return view?.help && helpClosed !== view.help.called_at ? "help" : null;
}

function update() {
  const name = wanted();
  const veil = find("#veil");
  if ((veil.dataset.open ?? null) === name) return;
  clearPads();
  clearPlate();
  clearFee();
  if (name) veil.dataset.open = name;
  else delete veil.dataset.open;
  show(veil, name !== null);
  find("main").inert = name !== null;
  for (const sheet of veil.children) show(sheet, sheet.dataset.overlay === name);
  moveFocus(name && find(`[data-overlay=${name}] h2`));
}

/** Keyboard and screen reader follow into a sheet, and back to where they were. */
function moveFocus(heading) {
  if (heading) {
    if (!document.activeElement.closest("#veil")) cameFrom = document.activeElement;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  } else if (cameFrom?.checkVisibility()) {
    cameFrom.focus({ preventScroll: true });
  }
}

function waitedFor(seconds) {
  const whole = Math.floor(seconds);
  return t("help_waiting", { time: `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}` });
}

function showHeld(held) {
  document.body.classList.toggle("has-held", held.length > 0);
  const words = t(view.kind === "till" ? "held_open" : "held_open_kiosk", { n: held.length });
  for (const node of document.querySelectorAll("[data-held]")) say(node, words);
  refill(find("[data-held-list]"), JSON.stringify([held, t("recall")]), () => held.map(heldRow));
  const pad = find("[data-pin=recall]");
  const picked = held.find((basket) => basket.id === pad.dataset.basket) ?? held[0];
  pickHeld(picked?.id ?? "");
}

/** Choose the basket that staff recall at a kiosk with their PIN. */
export function pickHeld(id) {
  find("[data-pin=recall]").dataset.basket = id;
  for (const button of document.querySelectorAll("[data-pick]")) button.ariaPressed = String(button.dataset.pick === id);
}

function heldRow(basket) {
  const { zone } = document.body.dataset;
  const time = new Date(basket.held_at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const words = make("span", "", `${time} · ${t("items", { n: basket.count })}`);
  const total = make("strong", "", yuan(basket.total_fen));
  const button =
    view.kind === "till"
      ? makeButton("primary", { act: "recall", basket: basket.id }, t("recall"))
      : makeButton("quiet", { pick: basket.id }, t("pick"));
  return make("li", "", words, total, button);
}
