// A pad for typing a plate: provinces first, then letters and digits. Several sheets have one.

import { find, makeButton, makeIcon, make, refill, say } from "./dom.js";
import { t } from "./texts.js";

const FULL = 7;
const LONGEST = 8;

/** The pad of one sheet. `onSend(plate)` is called with a plate that is long enough. */
export class PlatePad {
  constructor(root, onSend) {
    this.root = root;
    this.typed = "";
    this.pad = find(".pad", root);
    this.pad.addEventListener("click", (event) => {
      const button = event.target.closest("[data-key]");
      if (button) this.type(button.dataset.key);
    });
    find(".row .primary", root).addEventListener("click", () => onSend(this.typed));
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Forget what was typed. */
  clear() {
    this.typed = "";
    this.tell("");
    this.update();
  }

  /** Say what is wrong. */
  tell(problem) {
    say(find(".pin-problem", this.root), problem);
  }

  /** Show what was typed, and the keys that may follow, in the present language. */
  update() {
    find(".row .primary", this.root).disabled = this.typed.length < FULL;
    refill(find(".plate-typed", this.root), this.typed, () => Array.from({ length: LONGEST }, (_, at) => this.slot(at)));
    const { provinces, letters, tails } = this.pad.dataset;
    const keys = [...(this.typed ? letters : provinces), ...(this.typed.length > 1 ? tails : ""), "erase"];
    refill(this.pad, `${this.typed.length > 1} ${this.typed.length > 0} ${t("erase")}`, () => keys.map(keyButton));
  }

  onKey(event) {
    if (!this.pad.offsetParent || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.toUpperCase();
    if (event.key === "Enter" && !event.target.closest?.("button")) find(".row .primary", this.root).click();
    else if (event.key === "Backspace") this.type("erase");
    else if (this.typed && key.length === 1 && this.pad.dataset.letters.includes(key)) this.type(key);
    else return;
    event.preventDefault();
  }

  type(key) {
    if (key === "erase") this.typed = this.typed.slice(0, -1);
    else if (this.typed.length < LONGEST) this.typed += key;
    this.tell("");
    this.update();
  }

  slot(at) {
    const node = make("span", "", this.typed[at] ?? "");
    node.classList.toggle("next", at === this.typed.length);
    node.classList.toggle("spare", at === FULL && this.typed.length < LONGEST && at !== this.typed.length);
    return node;
  }
}

function keyButton(key) {
  const button = makeButton("key", { key }, key === "erase" ? makeIcon("erase") : key);
  if (key === "erase") button.setAttribute("aria-label", t("erase"));
  return button;
}
