// Small steps on the document that touch it only when something changes.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = JSON.parse(document.getElementById("icons").textContent);

/** The one element that matches; the page is broken without it. */
export function find(selector, root = document) {
  const node = root.querySelector(selector);
  if (!node) throw new Error(`the page has no ${selector}`);
  return node;
}

/** Set a node's text if it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Show or hide a node. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** A new element with a class, a text and children. */
export function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** A new button that carries data attributes. */
export function makeButton(className, data, ...children) {
  const button = make("button", className, ...children);
  button.type = "button";
  Object.assign(button.dataset, data);
  return button;
}

/** A new icon by name. */
export function makeIcon(name) {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.info);
  icon.append(path);
  return icon;
}

/** Play a node's entry animation from its beginning. */
export function replay(node, className) {
  node.classList.remove(className);
  void node.offsetWidth;
  node.classList.add(className);
}

/** Replace the children, unless `key` says that they are the same as last time. */
export function refill(node, key, build) {
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(...build());
}
