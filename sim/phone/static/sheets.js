// What comes up over a page: the payment sheet, consents, dialogs, toasts.

import { phone } from "./phone.js";

const PASSWORD = "123456";
const LOOK_MS = 1_000;
const MOST_WRONG = 5;
const shade = () => document.getElementById("shade");
let toastTimer = 0;
let open = 0;

/** Return an element: h("button.big", {onclick}, "text", child, ...). */
export function h(what, given = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const made = Object.assign(document.createElement(tag), given);
  if (classes.length) made.className = classes.join(" ");
  made.append(...children);
  return made;
}

/** Return money in yuan. */
export function yuan(fen) {
  return `¥${(fen / 100).toFixed(2)}`;
}

export function toast({ title, icon = "success", duration = 1500 }) {
  const at = document.getElementById("toast");
  at.textContent = `${{ success: "✓ ", error: "! ", loading: "… " }[icon] ?? ""}${title}`;
  at.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { at.hidden = true; }, duration);
}

/** Show a dialog; resolves with whether it was confirmed. */
export function modal({ title = "", content = "", showCancel = true, cancelText, confirmText }) {
  return over((end) => h("div.dialog", {},
    title ? h("h3", {}, title) : "", h("p", {}, content),
    h("div.buttons", {},
      ...(showCancel ? [h("button.cancel", { onclick: () => end(false) }, cancelText ?? phone.word("cancel"))] : []),
      h("button.confirm", { onclick: () => end(true) }, confirmText ?? phone.word("ok")))));
}

/** Show choices from below, a list of [word, act]. */
export async function choose(choices) {
  const act = await over((end) => h("div.below.list", {},
    ...choices.map(([key, run]) => h("button", { onclick: () => end(run), value: key }, phone.word(key))),
    h("button.cancel", { onclick: () => end(null) }, phone.word("cancel"))));
  await act?.();
}

/** The button for the phone number was tapped: return what the page is told. */
export async function askNumber() {
  const agrees = await consent("askNumber", []);
  if (!agrees) return { errMsg: "getPhoneNumber:fail user deny" };
  const { body } = await phone.gateway("POST", `/sim/wallets/${phone.wallet.wallet_id}/phone-code`, {});
  if (body.errno) return { errMsg: `getPhoneNumber:fail ${phone.word("noNumber")}`, errno: body.errno };
  return { errMsg: "getPhoneNumber:ok", code: body.code };
}

/** Ask whether these templates may be sent; return accept or reject for each. */
export async function askSubscription(ids) {
  const boxes = ids.map((id) => h("input", { type: "checkbox", checked: true, value: id }));
  const agrees = await consent("askSubscription", boxes.map((box) => h("label", {}, box, box.value)));
  const told = {};
  for (const box of boxes) {
    told[box.value] = agrees && box.checked ? "accept" : "reject";
    const given = { template_id: box.value, result: told[box.value] };
    await phone.gateway("POST", `/sim/wallets/${phone.wallet.wallet_id}/subscriptions`, given);
  }
  return told;
}

function consent(key, parts) {
  return over((end) => h("div.below.consent", {},
    h("h3", {}, `${phone.word("mall")} ${phone.word(key)}`), ...parts,
    h("div.buttons", {},
      h("button.cancel", { onclick: () => end(false) }, phone.word("deny")),
      h("button.confirm", { onclick: () => end(true) }, phone.word("allow")))));
}

/** Have a person pay what a request of the wallet's office answered; resolves with what the office said. */
export async function pay(reply) {
  if (reply.status >= 400) {
    const said = reply.body.error ?? `requestPayment:fail ${phone.word("lostNetwork")}`;
    await modal({ title: phone.word("failed"), content: said.replace(/^requestPayment:fail ?/, ""), showCancel: false });
    return said;
  }
  const ended = reply.body.state === "open" ? await enter(reply.body) : reply.body;
  phone.paid();
  if (ended.state === "paid") await receipt(ended);
  else if (ended.state === "failed") {
    const why = ended.said.replace(/^requestPayment:fail ?/, "");
    await modal({ title: phone.word("failed"), content: why, showCancel: false });
  }
  return ended.said;
}

function receipt(sheet) {
  return over((end) => h("div.paid", {},
    h("b", {}, "✓"), h("h3", {}, phone.word("paid")), h("p", {}, payees(sheet)), h("strong", {}, yuan(sheet.amount_fen)),
    h("button.done", { onclick: () => end(true) }, phone.word("done"))));
}

function payees(sheet) {
  return [...new Set(sheet.orders.map((one) => one.description))].join(" · ");
}

/** Show the sheet until it is paid, failed or cancelled; resolves with it. */
function enter(sheet) {
  return over((end) => new PaySheet(sheet, end).box);
}

class PaySheet {
  constructor(sheet, end) {
    Object.assign(this, { sheet, end, digits: "", busy: false });
    this.dots = h("div.dots");
    this.said = h("p.said", {}, phone.word("password"));
    const keys = [..."123456789", "", "0", "⌫"].map((key) => h("button.key", { value: key, onclick: () => this.key(key), disabled: !key }, key));
    const parts = sheet.orders.map((one) => h("li", {}, h("span", {}, one.description), h("span", {}, yuan(one.amount_fen))));
    this.box = h("div.below.pay", {},
      h("button.x", { onclick: () => this.act("cancels"), ariaLabel: "cancel" }, "✕"),
      h("p", {}, phone.word("payTo")), h("strong", {}, yuan(sheet.amount_fen)), h("ul", {}, ...parts),
      this.dots, this.said, h("div.keys", {}, ...keys));
    this.paint();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  key(key) {
    if (this.busy || this.digits.length === 6) return;
    this.digits = key === "⌫" ? this.digits.slice(0, -1) : this.digits + key;
    this.paint();
    if (this.digits.length === 6) this.act(this.digits === PASSWORD ? "types" : "wrong");
  }

  paint() {
    this.dots.replaceChildren(...Array.from({ length: 6 }, (_, each) => h("i", {}, each < this.digits.length ? "●" : "")));
  }

  async act(action) {
    if (this.busy) return;
    this.busy = true;
    this.said.textContent = phone.word("sending");
    if (action !== "cancels") await phone.haste();
    const answer = await phone.gateway("POST", `/sim/sheets/${this.sheet.sheet_id}`, { action });
    this.busy = false;
    if (answer.status === 200) this.show(answer.body);
    else this.look();
  }

  async look() {
    if (this.busy || !this.box.isConnected) return;
    const answer = await phone.gateway("GET", `/sim/sheets/${this.sheet.sheet_id}`);
    if (answer.status === 200 && answer.body.state !== "open") this.show(answer.body);
  }

  show(sheet) {
    if (sheet.state !== "open") {
      clearInterval(this.timer);
      this.end(sheet);
      return;
    }
    this.digits = "";
    this.paint();
    this.said.textContent = phone.word("wrongPassword").replace("{n}", MOST_WRONG - sheet.wrong_passwords);
  }
}

/** Put something over the page until it calls end(value); resolves with that value. */
function over(make) {
  return new Promise((resolve) => {
    const box = make((value) => {
      box.remove();
      open -= 1;
      shade().hidden = open === 0;
      resolve(value);
    });
    open += 1;
    shade().append(box);
    shade().hidden = false;
  });
}
