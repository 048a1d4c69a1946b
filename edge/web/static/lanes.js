// The guard's hands: one key answers what a lane recommends, one touch fills in a reason.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (document.activeElement?.matches("input:not([type=radio]), textarea, select")) return;
  // A question that came up under the finger is not answered by it.
  const button = document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  if (button && Date.now() - shownAt(button) > SETTLE_MS) button.click();
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-fill]");
  if (!chip) return;
  const field = document.getElementById(chip.dataset.fill);
  field.value = chip.dataset.text;
  field.focus();
});

/** A form that was sent is not sent again by an impatient finger. */
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});

const SETTLE_MS = 600;
const firstSeen = new Map();

/** When the question of this button came up, whatever was drawn anew meanwhile. */
function shownAt(button) {
  return firstSeen.get(passageOf(button)) ?? Date.now();
}

function passageOf(button) {
  return button.form.elements.passage.value;
}

function note() {
  const now = new Set();
  for (const button of document.querySelectorAll("button[data-key]")) {
    const passage = passageOf(button);
    now.add(passage);
    if (!firstSeen.has(passage)) firstSeen.set(passage, Date.now());
  }
  for (const passage of firstSeen.keys()) if (!now.has(passage)) firstSeen.delete(passage);
}

setInterval(note, 100);
note();
