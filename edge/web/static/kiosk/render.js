// One view in, the whole screen up to date.

import { countDown } from "./countdown.js";
import { find, make, makeIcon, refill, say, show } from "./dom.js";
import { yuan } from "./format.js";
import { showFee } from "./fee.js";
import { showLines } from "./lines.js";
import { showNotice } from "./notices.js";
import { showSheets } from "./overlays.js";
import { showCash } from "./pads.js";
import { showPaid } from "./paid.js";
import { showPhone, showPhonePays } from "./phone.js";
import { showParking } from "./plate.js";
import { beep } from "./sound.js";
import { showTickets, ticketLines } from "./tickets.js";
import { fillTexts, has, setLanguage, t, tenderName, walletNames } from "./texts.js";

const IDLE_WARNING_S = 20;
const IDLE_SCREENS = new Set(["basket", "checkout", "waiting"]);
const painted = new MessageChannel();
let last = null;
let ringFull = { id: null, seconds: 1 };

painted.port1.onmessage = (event) => {
  window.__painted = { version: event.data, at: performance.timeOrigin + performance.now() };
  document.body.dataset.painted = event.data;
  performance.clearMarks("painted");
  performance.mark("painted", { detail: { version: event.data } });
};

/** Show a view. `window.__painted` = {version, at (Unix ms)} tells when it had been painted. */
export function render(view) {
  if (setLanguage(view.language)) fillTexts();
  document.body.dataset.screen = view.screen;
  say(find("[data-closed-reason]"), view.closed && has(`closed_${view.closed}`) ? t(`closed_${view.closed}`) : "");
  showBasket(view);
  showCheckout(view);
  showWaiting(view);
  showPaid(view);
  showParking(view);
  showPhone(view);
  showFee(view);
  showTickets(view);
  showNotice(view);
  showSheets(view);
  showIdle(view);
  showChips(view);
  signal(view);
  last = view;
  document.body.dataset.version = view.version;
  requestAnimationFrame(() => painted.port2.postMessage(view.version));
}

function showBasket({ basket, tickets }) {
  // Before the lines: a list that is not displayed cannot be scrolled.
  document.body.classList.toggle("basket-empty", !basket?.lines.length);
  showLines(basket, ticketLines(tickets));
  say(find("[data-total]"), yuan(basket?.total_fen ?? 0));
  say(find("[data-count]"), t("items", { n: basket?.count ?? 0 }));
  find("#checkout").disabled = !basket?.lines.length;
}

function showCheckout({ order, cash, cash_closed: shut, wallets }) {
  const partPaid = Boolean(order?.due_fen && order.paid_fen);
  document.body.classList.toggle("part-paid", partPaid);
  say(find("[data-due-label]"), t(partPaid ? "due_rest" : "due"));
  say(find("[data-due]"), yuan(order?.due_fen ?? 0));
  document.body.classList.toggle("no-wallet", !wallets.length);
  say(find("#checkout-title"), t(wallets.length ? "pay_title" : "pay_none"));
  say(find("[data-open-wallet]"), t("pay_step_open", { wallets: walletNames(wallets) }));
  say(find("[data-order]"), order ? t("order_number", { number: order.number }) : "");
  document.body.classList.toggle("no-cash", cash === false);
  document.body.classList.toggle("cash-shut", Boolean(shut));
  if (shut) {
    say(find("[data-cash-shut]"), t(`cash_${shut}`));
    say(find("[data-cash-shut-more]"), t(`cash_${shut}_more`));
  }
  refill(find("[data-tenders]"), JSON.stringify([partPaid, order?.tenders, t("total")]), () =>
    partPaid ? [tenderRow(t("total"), order.total_fen), ...order.tenders.map((one) => tenderRow(tenderName(one), -one.amount_fen))] : [],
  );
  showCash(order);
}

function tenderRow(words, fen) {
  return make("li", "", make("span", "", words), make("strong", "", yuan(fen)));
}

function showWaiting({ attempt }) {
  const state = attempt && has(`attempt_${attempt.state}`) ? attempt.state : "submitted";
  showScan(attempt);
  say(find("[data-attempt-title]"), t(`attempt_${state}`));
  say(find("[data-attempt-lead]"), t(`attempt_${state}_more`));
  showPhonePays(attempt);
  say(find("[data-amount]"), attempt ? yuan(attempt.amount_fen) : "");
  say(find("[data-code-tail]"), attempt?.code_tail ? t("code_tail", { tail: attempt.code_tail }) : "");
  find(".screen.waiting").dataset.state = state;
  if (attempt && ringFull.id !== attempt.id) ringFull = { id: attempt.id, seconds: Math.max(1, attempt.seconds_left ?? 1) };
  const ring = find("#ring");
  ring.classList.toggle("endless", attempt?.seconds_left === null);
  countDown("attempt", attempt?.seconds_left, (seconds) => {
    say(find("[data-seconds]", ring), String(Math.ceil(seconds)));
    ring.style.setProperty("--left", String(Math.min(1, seconds / ringFull.seconds)));
  });
}

/** The code by which a phone pays what is due at a till. */
function showScan(attempt) {
  const scannable = Boolean(attempt?.scannable) && document.body.dataset.kind === "till";
  const box = find("[data-scan-to-pay]");
  find(".screen.waiting").classList.toggle("scan-to-pay", scannable);
  show(box, scannable);
  const picture = find("img", box);
  if (!scannable || picture.dataset.attempt === attempt.id) return;
  picture.dataset.attempt = attempt.id;
  picture.src = `/api/kiosk/${encodeURIComponent(document.body.dataset.workstation)}/payment.svg?${encodeURIComponent(attempt.id)}`;
}

function showIdle(view) {
  const counted = IDLE_SCREENS.has(view.screen) ? view.idle_s_left : null;
  const box = find("#idle");
  if (counted === null) show(box, false);
  say(find("[data-idle-lead]", box), t(view.screen === "waiting" ? "idle_lead_waiting" : "idle_lead"));
  countDown("idle", counted, (seconds) => {
    const warned = !box.hidden;
    show(box, seconds <= IDLE_WARNING_S);
    if (!warned && !box.hidden && !find("main").inert) find("button", box).focus();
    say(find("[data-idle-seconds]", box), String(Math.ceil(seconds)));
  });
}

function showChips(view) {
  const chips = [];
  const { devices, help } = view;
  if (help) chips.push(["info", "bell", t("chip_help")]);
  // null: this workstation has none.
  if (devices.scanner && devices.scanner !== "connected") chips.push(["error", "scan", t("chip_scanner")]);
  if (devices.printer && devices.printer !== "connected") chips.push(["warn", "paper", t("chip_printer")]);
  if (devices.hq !== "online") chips.push(["calm", "info", t("chip_offline", { n: view.outbox_depth })]);
  refill(find("#chips"), JSON.stringify(chips), () =>
    chips.map(([level, icon, text]) => make("span", `chip ${level}`, makeIcon(icon), make("span", "", text))),
  );
}

/** What a screen says first, for those who hear it. */
function spoken(view) {
  if (view.screen === "waiting") return t(`attempt_${view.attempt?.state}`);
  if (view.screen === "paid") return `${t("paid_title")} ${yuan(view.order?.total_fen ?? 0)}`;
  if (view.screen === "checkout") return `${t("pay_title")} ${yuan(view.order?.due_fen ?? 0)}`;
  return t(view.screen === "basket" ? "basket_title" : `${view.screen}_title`);
}

function signal(view) {
  if (last?.screen !== view.screen || last?.attempt?.state !== view.attempt?.state) say(find("#said"), spoken(view));
  if (!last) return;
  if (view.notice && view.notice.id !== last.notice?.id) beep("warn");
  else if ((view.basket?.count ?? 0) > (last.basket?.count ?? 0)) beep("ok");
}
