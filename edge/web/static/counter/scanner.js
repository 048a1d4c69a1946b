// A scanner that types like a keyboard: fast characters and Enter, wherever the focus is.

const GAP_MS = 80;
const SHORTEST = 4;

/** `onScan(text)` for what came too fast for a hand; `onKey(key)` for digits, erase and enter by hand. */
export function listenToScanner(onScan, onKey) {
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (target.closest?.("input, textarea, dialog") || event.ctrlKey || event.altKey || event.metaKey) return;
    // When the key came, not when a busy page got round to it.
    if (event.timeStamp - last > GAP_MS) typed = "";
    last = event.timeStamp;
    if (event.key === "Enter") {
      const text = typed;
      typed = "";
      if (text.length >= SHORTEST) {
        event.preventDefault();
        onScan(text);
      } else if (!target.closest?.("button")) onKey("enter");
      return;
    }
    if (event.key.length === 1) typed += event.key;
    if (/^[0-9]$/.test(event.key)) onKey(event.key);
    else if (event.key === "Backspace") onKey("erase");
  });
}
