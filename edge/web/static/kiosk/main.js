// Starts the page: views come in over the link, touches go out as actions.

import { Link } from "./link.js";
import { stepAnswered, stepQuantity } from "./lines.js";
import { showProblem } from "./notices.js";
import { closeSheet, openSheet, pickHeld } from "./overlays.js";
import { buildFee } from "./fee.js";
import { buildPads } from "./pads.js";
import { buildPlatePad } from "./plate.js";
import { render } from "./render.js";
import { buildTickets, openTickets } from "./tickets.js";
import { fillTexts, setLanguage } from "./texts.js";

const TOUCH_EVERY_MS = 3000;
let touchedAt = -Infinity;
let idleCounts = false;

const link = new Link(
  document.body.dataset.workstation,
  (view) => {
    idleCounts = view.idle_s_left !== null;
    render(view);
  },
  (state) => {
    document.body.dataset.link = state;
  },
);

/** Do an action and tell the shopper when it did not work, unless the caller does (`quiet`). */
async function act(action, values = {}, quiet = false) {
  const error = await link.act(action, values);
  if (error && !quiet) showProblem(error);
  return error;
}

/** What an action needs, from the button that was touched. */
function valuesOf(button) {
  const { language, line, notice, basket } = button.dataset;
  if (language) return { language };
  if (line) return { line_id: line };
  if (notice) return { notice_id: notice };
  return basket ? { basket_id: basket } : {};
}

async function actOf(button) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  const { act: action } = button.dataset;
  if (action === "cancel" || action === "recall") closeSheet();
  if (action === "help" && document.body.classList.contains("help-called")) openSheet("help");
  else await act(action, valuesOf(button));
  button.ariaBusy = "false";
}

function openNamed(name) {
  openSheet(name);
  if (name === "tickets") openTickets();
}

async function step(button) {
  const { line, step: by } = button.dataset;
  const quantity = stepQuantity(line, Number(by));
  if (quantity === null) return;
  await act("quantity", { line_id: line, quantity });
  stepAnswered(line);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.act) actOf(button);
  else if (button.dataset.step) step(button);
  else if (button.dataset.open) openNamed(button.dataset.open);
  else if (button.dataset.pick) pickHeld(button.dataset.pick);
  else if ("close" in button.dataset) closeSheet();
});

document.addEventListener("pointerdown", () => {
  const now = performance.now();
  if (!idleCounts || now - touchedAt < TOUCH_EVERY_MS) return;
  touchedAt = now;
  act("touch", {}, true);
});

document.addEventListener("part-cash", () => openSheet("part"));
for (const done of ["cash-taken", "code-sent", "pin-done", "plate-done"]) document.addEventListener(done, closeSheet);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeSheet();
});
document.addEventListener("contextmenu", (event) => event.preventDefault());

buildPads(act);
buildPlatePad(act);
buildFee(act);
buildTickets(act);
setLanguage("zh");
fillTexts();
link.start();
