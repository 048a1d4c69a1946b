// Errors that a technician must see: on the phone's own screen and on the console.

const MOST = 20;
const seen = new Set();

/** Show an error above everything, once for each text. */
export function loud(error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(`phone: ${text}`, error instanceof Error ? error.stack : "");
  const panel = document.getElementById("loud");
  if (seen.has(text) || seen.size >= MOST) return;
  seen.add(text);
  const line = document.createElement("li");
  line.textContent = text;
  panel.querySelector("ul").append(line);
  panel.hidden = false;
}

/** Take all errors away. */
export function hush() {
  seen.clear();
  const panel = document.getElementById("loud");
  panel.querySelector("ul").replaceChildren();
  panel.hidden = true;
}
