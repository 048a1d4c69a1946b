// A parsed WXML tree and data to elements: built anew at each change, put into the page by differences.

import { shown } from "./expression.js";
import { element } from "./elements.js";
import { loud } from "./loud.js";

/**
 * One page or component on the screen.
 * owner: {data, call(name, event)}; make: (tag, node) => a host with .mp, or null when the tag is no component.
 */
export class View {
  constructor(root, nodes, owner, make) {
    this.root = root;
    this.nodes = nodes;
    this.owner = owner;
    this.make = make;
    this.shown = [];
  }

  update() {
    const scope = Object.assign(Object.create(null), this.owner.data);
    this.shown = this.patch(this.root, this.shown, build(this.nodes, scope));
  }

  remove() {
    for (const one of this.shown) this.drop(one);
    this.shown = [];
  }

  patch(parent, olds, news) {
    const known = new Map(olds.map((one) => [one.key, one]));
    let place = parent.firstChild;
    for (const one of news) {
      const old = known.get(one.key);
      known.delete(one.key);
      if (old) this.renew(old, one);
      else this.create(one);
      if (one.dom === place) place = place.nextSibling;
      else parent.insertBefore(one.dom, place);
    }
    for (const old of known.values()) { this.drop(old); old.dom.remove(); }
    return news;
  }

  create(one) {
    if (one.text !== undefined) { one.dom = document.createTextNode(one.text); return; }
    const { node } = one;
    const host = this.make(node.tag, node);
    one.dom = host ?? element(node, (type, detail) => this.fire(one.dom.mpNode, type, detail));
    one.dom.mpNode = one;
    if (host) host.mp.emit = (type, detail) => this.fire(one.dom.mpNode, type, detail);
    this.listen(one);
    this.apply(one, {});
    this.inside(one, []);
    host?.mp.attach();
  }

  renew(old, one) {
    one.dom = old.dom;
    if (one.text !== undefined) { if (old.text !== one.text) one.dom.data = one.text; return; }
    one.dom.mpNode = one;
    this.apply(one, old.attrs);
    this.inside(one, old.children);
  }

  inside(one, olds) {
    one.children = this.patch(one.dom.mpInside ?? one.dom, olds, one.children);
  }

  apply(one, before) {
    const { dom, attrs } = one;
    const changed = Object.keys(attrs).filter((name) => !(name in before) || attrs[name] !== before[name]);
    if (dom.mp) dom.mp.give(Object.fromEntries(changed.map((name) => [name, attrs[name]])));
    else for (const name of changed) dom.mpSet(name, attrs[name]);
  }

  // A tap is the one event that goes up through the page; all others stay where they happen.
  listen(one) {
    const tap = one.node.events.tap;
    if (!tap) return;
    one.dom.addEventListener("click", (event) => {
      if (tap.stops) event.stopPropagation();
      const from = event.target.mpNode ?? one.dom.mpNode;
      this.fire(one.dom.mpNode, "tap", { x: event.clientX, y: event.clientY }, from);
    });
  }

  fire(one, type, detail, from = one) {
    const event = one.node.events[type];
    if (!event) return;
    const name = event.handler(one.scope);
    const place = (of) => ({ id: of.dom.id, dataset: copyOf(of.dataset), offsetLeft: 0, offsetTop: 0 });
    this.owner.call(name, {
      type, detail, timeStamp: performance.now(), target: place(from), currentTarget: place(one), mark: {},
    }, one.node.where);
  }

  drop(one) {
    for (const child of one.children ?? []) this.drop(child);
    one.dom.mp?.detach();
  }
}

function build(nodes, scope) {
  const made = [];
  const times = new Map();
  for (const [node, inner, key] of each(nodes, scope)) {
    if (node.tag === "block") { made.push(...prefixed(build(node.children, inner), node, key)); continue; }
    made.push(one(node, inner, key));
  }
  for (const vnode of made) {
    const count = times.get(vnode.key) ?? 0;
    times.set(vnode.key, count + 1);
    if (count) vnode.key = `${vnode.key}#${count}`;
  }
  return made;
}

function prefixed(vnodes, node, key) {
  for (const vnode of vnodes) vnode.key = `${node.id}:${key}/${vnode.key}`;
  return vnodes;
}

function one(node, scope, key) {
  if (node.text) return { text: shown(node.text(scope)), key: `${node.id}:${key}` };
  const valued = (of) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, value(scope)]));
  return {
    node, scope, key: `${node.id}:${key}`, attrs: valued(node.attrs), dataset: valued(node.data),
    children: build(node.children, scope),
  };
}

/** Yield [node, scope, key] of what is to be shown, conditions and loops resolved. */
function* each(nodes, scope) {
  let met = null;
  for (const node of nodes) {
    const control = node.controls ?? {};
    if (control.for) { met = null; yield* loop(node, control, scope); continue; }
    if (control.elif || control.else) {
      if (met === null) loud(`${node.where}: wx:else without wx:if before it`);
      if (met || (control.elif && !control.elif(scope))) continue;
      met = true;
    } else if (control.if) {
      met = Boolean(control.if(scope));
      if (!met) continue;
    } else met = null;
    yield [node, scope, ""];
  }
}

function* loop(node, control, scope) {
  const list = control.for(scope) ?? [];
  if (!Array.isArray(list)) return loud(`${node.where}: wx:for wants a list, not ${typeof list}`);
  if (!control.key) loud(`${node.where}: wx:for has no wx:key`);
  const item = control["for-item"]?.(scope) ?? "item";
  const index = control["for-index"]?.(scope) ?? "index";
  const key = control.key?.(scope);
  for (const [number, value] of list.entries()) {
    const inner = Object.assign(Object.create(null), scope, { [item]: value, [index]: number });
    if (control.if && !control.if(inner)) continue;
    yield [node, inner, keyOf(key, value, number)];
  }
}

function keyOf(key, value, number) {
  if (key === "*this") return String(value);
  if (key === undefined || key === "index") return number;
  return value?.[key] ?? number;
}

function copyOf(dataset) {
  return structuredClone(dataset);
}
