// A mini-program: its modules, pages and components, and which page is on top.

import { BASE } from "./base_style.js";
import { setCommon } from "./elements.js";
import { loud } from "./loud.js";
import { phone } from "./phone.js";
import { View } from "./render.js";
import { parseWxml } from "./wxml.js";
import { css } from "./wxss.js";
import { makeWx } from "./wx.js";

const MOST_PAGES = 10;
//: WeChat would call these of a page; this phone does not.
const OTHER_HOOKS = [
  "onReachBottom", "onPageScroll", "onResize", "onTabItemTap", "onShareAppMessage", "onShareTimeline",
  "onAddToFavorites", "onSaveExitState", "onRouteDone",
];
const COMPONENT_KEYS = ["options", "properties", "data", "methods", "observers", "lifetimes"];
const LIFETIMES = ["created", "attached", "ready", "detached"];
const EMPTY = { String: "", Number: 0, Boolean: false, Array: [], Object: null };
//: What a browser has and WeChat's JavaScript has not: it must fail here as it would there.
const ABSENT = [
  "window", "self", "globalThis", "document", "location", "navigator", "history", "parent", "top", "frames",
  "fetch", "XMLHttpRequest", "WebSocket", "EventSource", "Headers", "Request", "Response", "AbortController",
  "localStorage", "sessionStorage", "indexedDB", "alert", "confirm", "prompt", "URL", "URLSearchParams",
  "TextEncoder", "TextDecoder", "atob", "btoa", "Blob", "File", "FileReader", "FormData", "structuredClone", "crypto",
  "requestAnimationFrame", "queueMicrotask", "Image", "Audio", "Worker", "customElements", "CustomEvent", "Event",
];

export class Program {
  /** files: texts by path. stage: the element in which pages are put. enter: {path, query, scene}; no path for the first page. */
  constructor(files, stage, enter) {
    Object.assign(this, { files, stage, enter, stack: [], modules: {}, kinds: {}, trees: {}, sheets: {}, app: null });
    this.config = JSON.parse(files["app.json"]);
    enter.path ||= this.config.pages[0];
    this.wx = makeWx(this);
  }

  /** Run app.js and open the page it was entered by. */
  launch() {
    this.guard(() => {
      this.require("app.js");
      if (!this.app) throw new Error("app.js does not call App()");
      this.app.onLaunch?.(this.enter);
      this.app.onShow?.(this.enter);
      this.open(this.enter.path, this.enter.query, "reLaunch");
    });
  }

  /** The mini-program is opened again by a code or from the list: {path, query, scene}, or null as it was. */
  show(enter) {
    if (enter) this.enter = enter;
    this.guard(() => this.app?.onShow?.(this.enter));
    if (enter) this.open(enter.path, enter.query, "reLaunch");
    else this.top()?.hook("onShow");
  }

  hide() {
    this.top()?.hook("onHide");
    this.guard(() => this.app?.onHide?.());
  }

  end() {
    while (this.stack.length) this.pop();
  }

  top() {
    return this.stack.at(-1);
  }

  /** Open a page; how: navigateTo, redirectTo or reLaunch. Throws for a page that is not there. */
  open(path, query, how) {
    if (!this.config.pages.includes(path)) throw new Error(`page "${path}" is not found`);
    if (how === "navigateTo" && this.stack.length >= MOST_PAGES) throw new Error("webview count limit exceed");
    if (how === "navigateTo") this.top()?.hook("onHide");
    if (how === "redirectTo") this.pop();
    if (how === "reLaunch") this.end();
    const page = new PageOnScreen(this, path, query);
    this.stack.push(page);
    page.begin();
    this.uncover();
  }

  /** Go back one page; return whether there was one to go back to. */
  back() {
    if (this.stack.length < 2) return false;
    this.pop();
    this.uncover();
    this.top().hook("onShow");
    return true;
  }

  pop() {
    const page = this.stack.pop();
    page?.hook("onUnload");
    page?.remove();
  }

  uncover() {
    for (const page of this.stack) page.layer.hidden = page !== this.top();
    phone.barChanged();
  }

  /** Run something of the mini-program; what it throws is shown. */
  guard(run) {
    try {
      return run();
    } catch (error) {
      loud(error);
      return undefined;
    }
  }

  require(path) {
    const known = this.modules[path];
    if (known) return known.exports;
    const code = this.files[path];
    if (code === undefined) throw new Error(`module ${path} is not there`);
    const module = (this.modules[path] = { exports: {} });
    const given = {
      require: (name) => this.require(this.find(path, name)), module, exports: module.exports, wx: this.wx,
      App: (app) => { this.app = app; },
      Page: (options) => { this.kinds[path] = options; },
      Component: (options) => { this.kinds[path] = options; },
      getApp: () => this.app,
      getCurrentPages: () => this.stack.map((page) => page.self),
    };
    const names = Object.keys(given);
    const run = new Function(...names, ...ABSENT, `"use strict";(function () {${code}\n})();\n//# sourceURL=program/${path}`);
    run(...Object.values(given));
    return module.exports;
  }

  find(from, name) {
    const base = join(from, name);
    // No packages: the mini-program ships none.
    const places = name.startsWith(".") ? [base, `${base}.js`, `${base}/index.js`] : [];
    const found = places.find((one) => one in this.files);
    if (!found || !found.endsWith(".js")) throw new Error(`${from}: require("${name}") finds nothing`);
    return found;
  }

  /** Return {options, nodes, json} of a page or component, the first time it is used. */
  kind(path) {
    if (this.trees[path]) return this.trees[path];
    this.require(`${path}.js`);
    const options = this.kinds[`${path}.js`];
    if (!options) throw new Error(`${path}.js calls neither Page() nor Component()`);
    const json = JSON.parse(this.files[`${path}.json`] ?? "{}");
    const nodes = parseWxml(this.files[`${path}.wxml`] ?? "", `${path}.wxml`);
    return (this.trees[path] = { options, nodes, json });
  }

  /** Return the style sheets of a page or component. */
  styles(path, global) {
    const wanted = ["", ...(global ? ["app.wxss"] : []), `${path}.wxss`];
    return wanted.map((name) => {
      if (!this.sheets[name]) {
        const sheet = (this.sheets[name] = new CSSStyleSheet());
        sheet.replaceSync(name ? css(this.files[name] ?? "", name) : BASE);
      }
      return this.sheets[name];
    });
  }

  /** Return a function that makes the host of a component that `json` names, or null. */
  maker(json, path) {
    const using = { ...this.config.usingComponents, ...json.usingComponents };
    return (tag, node) => {
      const target = using[tag];
      if (!target) return null;
      if (!target.startsWith("/")) throw new Error(`${path}: write the path of ${tag} from the root`);
      return new ComponentOnScreen(this, target.slice(1), tag, node).host;
    };
  }
}

/** What pages and components have both: data on the screen. */
class OnScreen {
  constructor(program, path) {
    Object.assign(this, { program, path, waiting: null, gone: false });
  }

  begin(root, kind, data) {
    this.self.data = data;
    this.self.setData = (given, done) => this.setData(given, done);
    this.view = new View(root, kind.nodes, this, this.program.maker(kind.json, this.path));
  }

  get data() {
    return this.self.data;
  }

  setData(given, done) {
    for (const [name, value] of Object.entries(given)) {
      if (/[.[]/.test(name)) throw new Error(`${this.path}: setData("${name}"): paths are not in the subset`);
      if (value === undefined) throw new Error(`${this.path}: setData("${name}") to undefined`);
      this.self.data[name] = structuredClone(value);
    }
    this.changed(Object.keys(given));
    this.later(done);
  }

  changed() {}

  later(done) {
    if (this.gone) return;
    if (!this.waiting) {
      this.waiting = [];
      queueMicrotask(() => {
        const dones = this.waiting;
        this.waiting = null;
        if (!this.gone) this.program.guard(() => this.view.update());
        for (const one of dones) this.program.guard(() => one.call(this.self));
      });
    }
    if (done) this.waiting.push(done);
  }

  call(name, event, where) {
    const method = this.self[name];
    if (typeof method !== "function") loud(`${where}: ${this.path}.js has no method ${name}`);
    else this.run(() => method.call(this.self, event));
  }

  // An async function that fails does so later: nobody waits for it but this.
  run(work) {
    const made = this.program.guard(work);
    if (made instanceof Promise) made.catch(loud);
  }
}

class PageOnScreen extends OnScreen {
  constructor(program, path, query) {
    super(program, path);
    this.query = query;
    this.kind = program.kind(path);
    this.layer = Object.assign(document.createElement("div"), { className: "mp-page" });
    this.layer.dataset.route = path;
    const host = this.layer.appendChild(document.createElement("div"));
    host.className = "mp-scroll";
    const shadow = host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = program.styles(path, true);
    this.root = shadow.appendChild(document.createElement("page"));
    this.title = this.kind.json.navigationBarTitleText ?? program.config.window?.navigationBarTitleText ?? "";
  }

  begin() {
    const { data = {}, ...options } = this.kind.options;
    this.self = { ...options, route: this.path, options: this.query };
    for (const name of OTHER_HOOKS) {
      if (name in options) loud(`${this.path}: ${name} is not in the subset`);
    }
    super.begin(this.root, this.kind, structuredClone(data));
    this.program.stage.append(this.layer);
    this.hook("onLoad", this.query);
    this.program.guard(() => this.view.update());
    this.hook("onShow");
    this.hook("onReady");
  }

  hook(name, ...given) {
    const hook = this.self[name];
    if (hook) this.run(() => hook.apply(this.self, given));
  }

  pullDown() {
    if (!(this.kind.json.enablePullDownRefresh ?? this.program.config.window?.enablePullDownRefresh)) return false;
    this.hook("onPullDownRefresh");
    return true;
  }

  remove() {
    this.view.remove();
    this.gone = true;
    this.layer.remove();
  }
}

class ComponentOnScreen extends OnScreen {
  constructor(program, path, tag, node) {
    super(program, path);
    const { options } = (this.kind = program.kind(path));
    for (const name of Object.keys(options)) {
      if (!COMPONENT_KEYS.includes(name) && !LIFETIMES.includes(name)) loud(`${path}: ${name} is not in the subset`);
    }
    this.where = node.where;
    // Only names with a hyphen may have a shadow.
    this.host = document.createElement(tag.includes("-") ? tag : `mp-${tag}`);
    const shadow = this.host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = program.styles(path, options.options?.addGlobalClass);
    this.types = options.properties ?? {};
    const firsts = Object.entries(this.types).map(([name, type]) => [name, first(type)]);
    this.self = { ...options.methods };
    this.begin(shadow, this.kind, structuredClone({ ...options.data, ...Object.fromEntries(firsts) }));
    this.self.properties = this.self.data;
    this.self.triggerEvent = (name, detail = {}) => this.host.mp.emit(name, detail);
    this.host.mp = {
      give: (attrs) => this.give(attrs),
      attach: () => this.attach(),
      detach: () => { this.gone = true; this.view.remove(); this.life("detached"); },
      emit: () => {},
    };
    this.life("created");
  }

  attach() {
    this.life("attached");
    this.program.guard(() => this.view.update());
    this.life("ready");
  }

  give(attrs) {
    const names = [];
    for (const [attribute, value] of Object.entries(attrs)) {
      if (setCommon(this.host, attribute, value)) continue;
      const name = attribute.replace(/-([a-z])/g, (_, one) => one.toUpperCase());
      if (!(name in this.types)) { loud(`${this.where}: ${this.path} has no property ${name}`); continue; }
      this.self.data[name] = structuredClone(fitting(value, this.types[name], `${this.where}: ${name}`));
      names.push(name);
    }
    if (!names.length) return;
    this.changed(names);
    if (this.host.isConnected) this.later();
  }

  changed(names) {
    for (const [of, run] of Object.entries(this.kind.options.observers ?? {})) {
      const watched = of.split(",").map((one) => one.trim().replace(/\.\*\*$/, ""));
      if (watched.some((one) => names.includes(one))) {
        this.run(() => run.apply(this.self, watched.map((one) => this.self.data[one])));
      }
    }
  }

  life(name) {
    const hook = this.kind.options.lifetimes?.[name] ?? this.kind.options[name];
    if (hook) this.run(() => hook.call(this.self));
  }
}

function first(type) {
  if (type && typeof type === "object" && "value" in type) return type.value;
  return EMPTY[(type?.type ?? type)?.name] ?? null;
}

function fitting(value, type, where) {
  const name = (type?.type ?? type)?.name;
  if (value === undefined || value === null) return name === undefined || name === "Object" ? null : first(type);
  const is = Array.isArray(value) ? "Array" : { string: "String", number: "Number", boolean: "Boolean" }[typeof value] ?? "Object";
  if (name && is !== name) loud(`${where} wants ${name}, not ${is}`);
  return value;
}

function join(from, name) {
  const parts = from.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
