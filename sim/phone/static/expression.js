// What stands between {{ and }} in WXML: a small language of its own, without calls and without assignments.

export class ExpressionError extends Error {}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_$][\w$]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\.\.\.|===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]))/y;
const LEVELS = [["||"], ["&&"], ["==", "!=", "===", "!=="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]];
const WORDS = { true: true, false: false, null: null, undefined: undefined };
const OPERATE = {
  "==": (a, b) => a == b, "!=": (a, b) => a != b, "===": (a, b) => a === b, "!==": (a, b) => a !== b,
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b,
};

/** Return a function from a scope (an object) to the value of `text`, the inside of {{ }}. */
export function compile(text) {
  return new Parser(text).whole();
}

/** Return a function from a scope to the value of an attribute: the very value of one {{ }}, else a text. */
export function compileText(text) {
  const parts = split(text);
  if (parts.length === 1 && parts[0].code !== undefined) return compile(parts[0].code);
  const made = parts.map((part) => (part.code === undefined ? () => part.text : compile(part.code)));
  if (made.length === 1) return made[0];
  return (scope) => made.map((one) => shown(one(scope))).join("");
}

/** Return what is shown of a value. */
export function shown(value) {
  return value === undefined || value === null ? "" : String(value);
}

function split(text) {
  const parts = [];
  let from = 0;
  for (;;) {
    const opens = text.indexOf("{{", from);
    if (opens < 0) break;
    const closes = text.indexOf("}}", opens);
    if (closes < 0) throw new ExpressionError(`{{ is never closed in ${text}`);
    if (opens > from) parts.push({ text: text.slice(from, opens) });
    // {{ {a: 1} }} ends with }}}: the last two braces close.
    const end = text[closes + 2] === "}" ? closes + 1 : closes;
    parts.push({ code: text.slice(opens + 2, end) });
    from = end + 2;
  }
  if (from < text.length || !parts.length) parts.push({ text: text.slice(from) });
  return parts;
}

class Parser {
  constructor(text) {
    this.text = text;
    this.tokens = [...this.read(text)];
    this.at = 0;
  }

  *read(text) {
    TOKEN.lastIndex = 0;
    while (text.slice(TOKEN.lastIndex).trim()) {
      const found = TOKEN.exec(text);
      if (!found) throw new ExpressionError(`{{${text}}} has something that WXML does not know`);
      const [, number, name, string, mark] = found;
      if (number !== undefined) yield { kind: "value", value: Number(number) };
      else if (name !== undefined) yield { kind: "name", value: name };
      else if (string !== undefined) yield { kind: "value", value: unquoted(string) };
      else yield { kind: "mark", value: mark };
    }
  }

  whole() {
    if (!this.tokens.length) this.fail("is empty");
    const made = this.ternary();
    if (this.at < this.tokens.length) this.fail(`does not go on with ${this.tokens[this.at].value}`);
    return made;
  }

  ternary() {
    const asked = this.binary(0);
    if (!this.takes("?")) return asked;
    const yes = this.ternary();
    this.needs(":");
    const no = this.ternary();
    return (scope) => (asked(scope) ? yes(scope) : no(scope));
  }

  binary(level) {
    if (level === LEVELS.length) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const mark = LEVELS[level].find((one) => this.takes(one));
      if (!mark) return left;
      left = join(mark, left, this.binary(level + 1));
    }
  }

  unary() {
    if (this.takes("!")) { const of = this.unary(); return (scope) => !of(scope); }
    if (this.takes("-")) { const of = this.unary(); return (scope) => -of(scope); }
    return this.member(this.primary());
  }

  member(of) {
    for (;;) {
      if (this.takes(".")) {
        const name = this.next("name").value;
        const before = of;
        of = (scope) => before(scope)?.[name];
      } else if (this.takes("[")) {
        const key = this.ternary();
        this.needs("]");
        const before = of;
        of = (scope) => before(scope)?.[key(scope)];
      } else if (this.takes("(")) {
        this.fail("calls something; WXML cannot, compute it in JavaScript");
      } else return of;
    }
  }

  primary() {
    if (this.takes("(")) { const inner = this.ternary(); this.needs(")"); return inner; }
    if (this.takes("[")) return this.list();
    if (this.takes("{")) { const made = this.fields(); this.needs("}"); return made; }
    const token = this.tokens[this.at];
    if (!token || token.kind === "mark") this.fail(`ends too early or has ${token?.value}`);
    this.at += 1;
    if (token.kind === "value") return () => token.value;
    if (token.value in WORDS) return () => WORDS[token.value];
    return (scope) => scope[token.value];
  }

  list() {
    const items = [];
    while (!this.takes("]")) { items.push(this.ternary()); if (!this.takes(",")) { this.needs("]"); break; } }
    return (scope) => items.map((item) => item(scope));
  }

  fields() {
    const fields = [];
    while (!this.sees("}")) {
      if (this.takes("...")) { const of = this.ternary(); fields.push((scope) => of(scope) ?? {}); }
      else fields.push(this.field());
      if (!this.takes(",")) break;
    }
    return (scope) => Object.assign({}, ...fields.map((field) => field(scope)));
  }

  field() {
    const token = this.tokens[this.at];
    if (!token || token.kind === "mark") this.fail("has an object whose field has no name");
    this.at += 1;
    const name = token.value;
    const value = this.takes(":") ? this.ternary() : (scope) => scope[name];
    return (scope) => ({ [name]: value(scope) });
  }

  sees(mark) { const token = this.tokens[this.at]; return token?.kind === "mark" && token.value === mark; }
  takes(mark) { if (!this.sees(mark)) return false; this.at += 1; return true; }
  needs(mark) { if (!this.takes(mark)) this.fail(`has no ${mark}`); }
  next(kind) {
    const token = this.tokens[this.at];
    if (token?.kind !== kind) this.fail(`has no ${kind}`);
    this.at += 1;
    return token;
  }
  fail(why) { throw new ExpressionError(`{{${this.text}}} ${why}`); }
}

function join(mark, left, right) {
  if (mark === "||") return (scope) => left(scope) || right(scope);
  if (mark === "&&") return (scope) => left(scope) && right(scope);
  return (scope) => OPERATE[mark](left(scope), right(scope));
}

function unquoted(text) {
  return text.slice(1, -1).replace(/\\(.)/g, (_, one) => ({ n: "\n", t: "\t" })[one] ?? one);
}
