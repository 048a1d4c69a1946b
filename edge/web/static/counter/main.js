// The counter's tablet: who signs in, what is touched and scanned, and what the box says of it.

import { find, make, makeButton, refill, say, show } from "../kiosk/dom.js";
import { fillTexts, has, own, setLanguage, t } from "../kiosk/texts.js";
import { ask, askPrice } from "./dialogs.js";
import { Link } from "./link.js";
import { listenToScanner } from "./scanner.js";
import { drawDesk } from "./view.js";

const KEPT = `counter-language-${document.body.dataset.counter}`;
const link = new Link(document.body.dataset.counter, draw, (lost) => { document.body.dataset.link = lost ? "lost" : "live"; });
let view = null;
let guide = null;
let pin = "";
let said = "";
let language = kept();

/** The language that was chosen on this tablet, "" until one was; it outlasts whoever signs in and out. */
function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

function keep(chosen) {
  language = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // A browser that keeps nothing has it until the page is loaded again.
  }
}

function draw(next) {
  view = language ? { ...next, language } : next;
  if (setLanguage(view.language)) fillTexts();
  for (const node of document.querySelectorAll("[data-t-hint]")) node.placeholder = t(node.dataset.tHint);
  const inside = Boolean(next.guide);
  document.body.dataset.screen = inside ? "desk" : "enter";
  for (const one of document.querySelectorAll("[data-screen-of]")) show(one, one.dataset.screenOf === document.body.dataset.screen);
  say(find("[data-tenant]"), own(next, "tenant"));
  show(find("[data-do=sign-out]"), inside);
  show(find("[data-who]"), inside);
  if (inside) {
    guide = null;
    say(find("[data-who]"), whoWords());
    drawClosed();
    drawDesk(next);
  } else drawEnter();
  drawBanner();
  // A code that was scanned beside the question answers it.
  const asked = find("[data-dialog=pay]");
  if (asked.open && view.paying?.state !== "code") asked.close();
}

function whoWords() {
  const known = view.guides.find((one) => one.id === view.guide);
  return known ? own(known, "name") : view.guide;
}

function drawClosed() {
  const chip = find("[data-closed]");
  show(chip, Boolean(view.closed));
  if (view.closed) say(chip, t("counter_closed"));
}

function drawEnter() {
  const key = JSON.stringify([view.guides, view.language]);
  refill(find("[data-guides]"), key, () => view.guides.map((one) => makeButton("quiet guide", { guide: one.id }, own(one, "name"))));
  show(find("[data-no-guides]"), !view.guides.length);
  show(find("[data-guides-box]"), !guide);
  show(find("[data-pin-box]"), Boolean(guide));
  const chosen = view.guides.find((one) => one.id === guide);
  if (chosen) say(find("[data-pin-name]"), own(chosen, "name"));
  say(find("[data-dots]"), "●".repeat(pin.length));
}

function drawBanner() {
  const banner = find("[data-banner]");
  const notice = view.guide ? view.notice : null;
  const words = said || (notice ? noticeWords(notice) : "");
  show(banner, Boolean(words));
  banner.classList.toggle("fine", !said && notice?.level === "info");
  say(find("span", banner), words);
}

function noticeWords({ code, params }) {
  const values = { ...params, name: own(params, "name"), tenant: own(params, "tenant") };
  const key = has(`counter_notice_${code}`) ? `counter_notice_${code}` : `notice_${code}`;
  return t(has(key) ? key : "counter_failed", values);
}

/** Do something and say in a banner what was wrong with it. Returns whether it was done. */
async function act(action, values = {}) {
  said = "";
  const wrong = await link.act(action, values);
  if (!wrong) return true;
  if (wrong.status === 401) return false;
  const key = `counter_failed_${action.replace("-", "_")}`;
  const reason = wrong.error === "unreachable" ? t("counter_unreachable") : t(has(key) ? key : "counter_failed");
  said = document.documentElement.lang === "en" && wrong.message ? `${reason} (${wrong.message})` : reason;
  if (view) drawBanner();
  return false;
}

const onTicket = (action, values = {}) => act(action, { ticket: view.ticket.id, ...values });

const DO = {
  open: () => act("open").then(focusScan),
  "sign-out": () => act("sign-out"),
  "other-guide": () => { guide = null; pin = ""; drawEnter(); },
  dismiss: () => { if (said) { said = ""; drawBanner(); } else if (view.notice) act("dismiss", { notice: view.notice.id }); },
  amount: () => ask("amount").then((values) => values && onTicket("amount", values)).then(focusScan),
  issue,
  "take-back": () => onTicket("take-back").then(focusScan),
  cancel: () => ask("cancel").then((values) => values && onTicket("cancel")),
  "pay-here": payHere,
  "pay-back": () => act("pay-back"),
  "hand-over": () => onTicket("hand-over", { code: "" }),
  force: () => ask("force").then((values) => values && onTicket("force", values)),
  reprint: () => onTicket("reprint"),
  big: () => ask("big"),
};

async function issue() {
  const age = view.ticket.age_needed;
  if (age) {
    say(find("[data-age-title]"), t("counter_age", { age }));
    if (!(await ask("age"))) return;
  }
  await onTicket("issue", { age_checked: Boolean(age) });
}

async function payHere() {
  if (view.ticket.state === "issued" && !(await onTicket("pay-here"))) return;
  const values = await ask("pay", view.ticket.total_fen);
  if (values) await act("type-code", { text: values.code });
  else if (view.ticket?.state === "paying" && view.paying?.state === "code") await act("pay-back");
}

async function tool(button) {
  const line = view.ticket.lines.find((one) => one.line_id === button.dataset.line);
  if (!line) return;
  if (button.dataset.tool === "price") {
    const values = await askPrice(line, view.limits);
    if (values) await onTicket("price", { line: line.line_id, ...values });
  } else await onTicket("quantity", { line: line.line_id, quantity: Number(button.dataset.quantity) });
  focusScan();
}

function focusScan() {
  const field = find("#code");
  if (field.offsetParent) field.focus({ preventScroll: true });
}

async function pressPin(key) {
  if (key === "erase") pin = pin.slice(0, -1);
  else if (key !== "enter") pin = (pin + key).slice(0, 12);
  show(find("[data-pin-wrong]"), false);
  if (key === "enter" && pin.length >= 4) {
    const given = pin;
    pin = "";
    const wrong = await link.act("sign-in", { guide, pin: given });
    if (wrong) {
      say(find("[data-pin-wrong]"), t(wrong.status === 403 ? "counter_pin_wrong" : "counter_unreachable"));
      show(find("[data-pin-wrong]"), true);
    } else return;
  }
  drawEnter();
}

function buildPinPad() {
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "enter"];
  find("[data-pin-pad]").append(...keys.map((key) => {
    const sign = { erase: "⌫", enter: "✓" }[key] ?? key;
    return makeButton(key === "enter" ? "primary" : "quiet", { key }, make("span", "", sign));
  }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.closest("dialog")) return;
  const { do: what, language, pick, tool: kind, key, guide: wanted } = button.dataset;
  if (language) chooseLanguage(language);
  else if (what) DO[what]?.();
  else if (pick) act("pick", { ticket: pick }).then(focusScan);
  else if (kind) tool(button);
  else if (key) pressPin(key);
  else if (wanted) { guide = wanted; pin = ""; drawEnter(); }
});

function chooseLanguage(chosen) {
  keep(chosen);
  if (view) draw(view);
  if (view?.guide) act("language", { language: chosen });
}

find("[data-scan]").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = find("#code");
  const text = field.value.trim();
  field.value = "";
  if (text) act("type-code", { text }).then(focusScan);
});

find("[data-release]").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = find("#release");
  const code = field.value;
  field.value = "";
  onTicket("hand-over", { code });
});

listenToScanner((text) => { if (view?.guide) act("type-code", { text }); }, (key) => { if (guide) pressPin(key); });
buildPinPad();
setLanguage("zh");
fillTexts();
link.start();
