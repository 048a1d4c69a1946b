// The built-in components of the subset as elements; what is not listed here is refused loudly.

import { loud } from "./loud.js";
import { units } from "./wxss.js";
import { phone } from "./phone.js";

const EVERYWHERE = ["class", "style", "id", "hidden", "aria-label", "aria-role", "aria-hidden"];
const MODES = { aspectFill: "cover", aspectFit: "contain", widthFix: "contain" };
const KEYBOARDS = { text: "text", number: "numeric", digit: "decimal", idcard: "text" };
//: Scenes by which <official-account> shows itself when the mini-program was closed before.
const FOLLOW_SCENES = [1011, 1017, 1025, 1047, 1124];

const TAGS = {
  view: { attrs: [], events: ["tap"] },
  text: { attrs: ["user-select"], events: ["tap"] },
  "scroll-view": { attrs: ["scroll-x", "scroll-y"], events: ["tap"] },
  image: { attrs: ["src", "mode"], events: ["tap"], make: makeImage },
  button: { attrs: ["disabled", "loading", "open-type"], events: ["tap", "getphonenumber"], make: makeButton },
  input: { attrs: ["value", "type", "placeholder", "maxlength", "confirm-type", "disabled", "focus"],
    events: ["input", "confirm", "focus", "blur", "tap"], make: makeInput },
  checkbox: { attrs: ["value", "checked", "disabled", "color"], events: [], make: makeCheckbox },
  "checkbox-group": { attrs: [], events: ["change"], make: makeGroup },
  label: { attrs: [], events: ["tap"] },
  "official-account": { attrs: [], events: ["load", "error"], make: makeFollow },
  slot: { attrs: [], events: [] },
};

/** Return the element of a node; emit(type, detail) tells what happens to it. */
export function element(node, emit) {
  const kind = TAGS[node.tag];
  if (!kind) loud(`${node.where}: <${node.tag}> is not in the subset and is no component of this page`);
  for (const type of Object.keys(node.events)) {
    if (kind && !kind.events.includes(type)) loud(`${node.where}: <${node.tag}> has no event ${type} in the subset`);
  }
  const made = document.createElement(node.tag);
  const own = kind?.make?.(made, emit, node) ?? {};
  made.mpSet = (name, value) => set(made, node, kind, own, name, value);
  return made;
}

/** Set what every element and every component's host may have; return whether it was one of those. */
export function setCommon(made, name, value) {
  if (name === "class") made.setAttribute("class", value ?? "");
  else if (name === "style") made.setAttribute("style", units(String(value ?? "")));
  else if (name === "hidden") made.toggleAttribute("hidden", Boolean(value));
  else if (name === "id") made.id = value;
  else if (name.startsWith("aria-")) made.setAttribute(name === "aria-role" ? "role" : name, value);
  else return false;
  return true;
}

function set(made, node, kind, own, name, value) {
  if (EVERYWHERE.includes(name)) { setCommon(made, name, value); return; }
  if (!kind) return;
  if (!kind.attrs.includes(name)) loud(`${node.where}: <${node.tag} ${name}> is not in the subset`);
  else if (own[name]) own[name](value);
  else made.setAttribute(name, value);
}

function makeImage(made, emit, node) {
  const picture = document.createElement("img");
  picture.alt = "";
  made.append(picture);
  made.mpInside = document.createElement("i");
  return {
    src: (value) => { picture.src = value ? phone.pictureUrl(String(value)) : ""; made.toggleAttribute("empty", !value); },
    mode: (value) => {
      if (!(value in MODES)) loud(`${node.where}: mode ${value} is not in the subset`);
      made.setAttribute("mode", value);
      picture.style.objectFit = MODES[value];
    },
  };
}

function makeButton(made, emit, node) {
  made.type = "button";
  let opens = "";
  made.addEventListener("click", async () => {
    if (opens === "getPhoneNumber") emit("getphonenumber", await phone.askNumber());
  });
  return {
    disabled: (value) => { made.disabled = Boolean(value); },
    loading: (value) => made.toggleAttribute("loading", Boolean(value)),
    "open-type": (value) => {
      if (value && value !== "getPhoneNumber") loud(`${node.where}: open-type ${value} is not in the subset`);
      opens = value;
    },
  };
}

function makeInput(made, emit, node) {
  made.maxLength = 140;
  made.autocomplete = "off";
  made.addEventListener("input", () => emit("input", { value: made.value, cursor: made.selectionStart }));
  made.addEventListener("focus", () => emit("focus", { value: made.value }));
  made.addEventListener("blur", () => emit("blur", { value: made.value }));
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) emit("confirm", { value: made.value });
  });
  return {
    value: (value) => { if (made.value !== String(value ?? "")) made.value = value ?? ""; },
    maxlength: (value) => { made.maxLength = Number(value); },
    focus: (value) => { if (value) queueMicrotask(() => made.focus()); },
    disabled: (value) => { made.disabled = Boolean(value); },
    "confirm-type": (value) => { made.enterKeyHint = value; },
    type: (value) => {
      if (!(value in KEYBOARDS)) loud(`${node.where}: type ${value} is not in the subset`);
      made.inputMode = KEYBOARDS[value];
    },
  };
}

function makeCheckbox(made) {
  const box = document.createElement("input");
  box.type = "checkbox";
  made.append(box);
  made.mpInside = made.appendChild(document.createElement("span"));
  return {
    value: (value) => { box.value = value; },
    checked: (value) => { box.checked = Boolean(value); },
    disabled: (value) => { box.disabled = Boolean(value); },
    color: (value) => { box.style.accentColor = value; },
  };
}

function makeGroup(made, emit) {
  made.addEventListener("change", (event) => {
    event.stopPropagation();
    const boxes = [...made.querySelectorAll("checkbox > input")];
    emit("change", { value: boxes.filter((one) => one.checked).map((one) => one.value) });
  });
  return {};
}

function makeFollow(made, emit) {
  const shows = FOLLOW_SCENES.includes(phone.scene());
  made.mpInside = document.createElement("i");
  if (shows) made.append(Object.assign(document.createElement("i"), { textContent: phone.word("follow") }));
  made.toggleAttribute("hidden", !shows);
  // WeChat's own numbers: 0 shown, 2 the scene does not allow it.
  queueMicrotask(() => emit(shows ? "load" : "error", { status: shows ? 0 : 2 }));
  return {};
}
