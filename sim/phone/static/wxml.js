// WXML to a tree. What the subset does not have is refused with file and line.

import { compileText } from "./expression.js";

export class WxmlError extends Error {}

const NAME = /[A-Za-z][\w-]*/y;
const ATTRIBUTE = /\s+([\w:@.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/y;
const EVENT = /^(bind|catch):?([a-z][\w-]*)$/i;
const OTHER_EVENT = /^(mut-bind|capture-bind|capture-catch):?/;
const REFUSED = ["wxs", "template", "import", "include"];
const CONTROLS = ["wx:if", "wx:elif", "wx:else", "wx:for", "wx:for-item", "wx:for-index", "wx:key"];
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'", "&nbsp;": "\u00a0" };

let count = 0;

/**
 * Return the nodes of a file's text.
 * A node is {id, tag, attrs, events, data, controls, children, where} or {id, text}; values are functions of a scope.
 */
export function parseWxml(text, file) {
  return new Reader(text, file).whole();
}

class Reader {
  constructor(text, file) {
    this.text = text;
    this.file = file;
    this.at = 0;
    this.root = { tag: "", children: [], where: file };
    this.stack = [this.root];
  }

  whole() {
    while (this.at < this.text.length) this.step();
    if (this.stack.length > 1) this.fail(`<${this.stack.at(-1).tag}> is never closed`);
    return this.root.children;
  }

  step() {
    if (this.text.startsWith("<!--", this.at)) return this.comment();
    if (this.text.startsWith("</", this.at)) return this.closing();
    if (this.text[this.at] === "<") return this.opening();
    return this.words();
  }

  comment() {
    const end = this.text.indexOf("-->", this.at);
    if (end < 0) this.fail("a comment is never closed");
    this.at = end + 3;
  }

  closing() {
    const end = this.text.indexOf(">", this.at);
    const tag = this.text.slice(this.at + 2, end).trim();
    const open = this.stack.at(-1).tag;
    if (end < 0 || open !== tag) this.fail(`</${tag}> closes <${open}>`);
    this.stack.pop();
    this.at = end + 1;
  }

  opening() {
    NAME.lastIndex = this.at + 1;
    const name = NAME.exec(this.text);
    if (!name) this.fail("< begins no tag; write &lt;");
    const node = { id: (count += 1), tag: name[0], raw: {}, attrs: {}, events: {}, data: {}, controls: {}, children: [], where: this.here() };
    this.at = NAME.lastIndex;
    this.attributes(node);
    const closes = /\s*(\/?)>/y;
    closes.lastIndex = this.at;
    const end = closes.exec(this.text);
    if (!end) this.fail(`<${node.tag}> has something that is no attribute`);
    this.at = closes.lastIndex;
    this.stack.at(-1).children.push(node);
    if (!end[1]) this.stack.push(node);
    if (REFUSED.includes(node.tag)) this.fail(`<${node.tag}> is not in the subset`);
  }

  attributes(node) {
    for (;;) {
      ATTRIBUTE.lastIndex = this.at;
      const found = ATTRIBUTE.exec(this.text);
      if (!found) return;
      const [, name, double, single] = found;
      this.attribute(node, name, double ?? single);
      this.at = ATTRIBUTE.lastIndex;
    }
  }

  attribute(node, name, given) {
    const event = EVENT.exec(name);
    if (OTHER_EVENT.test(name)) this.fail(`${name} is not in the subset`);
    if (name in node.raw) this.fail(`${name} is given twice`);
    node.raw[name] = given ?? "";
    let value;
    try {
      value = given === undefined ? () => true : compileText(unescaped(given));
    } catch (error) {
      this.fail(`${name}: ${error.message}`);
    }
    if (event) node.events[event[2]] = { handler: value, stops: event[1] === "catch" };
    else if (name.startsWith("wx:")) this.control(node, name, value);
    else if (name.startsWith("data-")) node.data[camel(name.slice(5))] = value;
    else node.attrs[name] = value;
  }

  control(node, name, value) {
    if (!CONTROLS.includes(name)) this.fail(`${name} is not in the subset`);
    node.controls[name.slice(3)] = value;
  }

  words() {
    let end = this.text.indexOf("<", this.at);
    if (end < 0) end = this.text.length;
    const inside = this.stack.at(-1).tag === "text";
    const raw = this.text.slice(this.at, end);
    const text = inside ? raw : raw.replace(/^\s*\n\s*|\s*\n\s*$/g, "");
    if (text) {
      try {
        this.stack.at(-1).children.push({ id: (count += 1), text: compileText(unescaped(text)), where: this.here() });
      } catch (error) {
        this.fail(error.message);
      }
    }
    this.at = end;
  }

  here() {
    return `${this.file}:${this.text.slice(0, this.at).split("\n").length}`;
  }

  fail(why) {
    throw new WxmlError(`${this.here()}: ${why}`);
  }
}

function camel(name) {
  return name.toLowerCase().replace(/-([a-z])/g, (_, one) => one.toUpperCase());
}

function unescaped(text) {
  return text.replace(/&(?:lt|gt|amp|quot|apos|nbsp);/g, (one) => ENTITIES[one]);
}
