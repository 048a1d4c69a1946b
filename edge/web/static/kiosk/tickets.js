// Central cashier: find counter tickets, collect them into the basket, take them out, show their release codes.

import { find, make, makeButton, makeIcon, refill, replay, say, show } from "./dom.js";
import { yuan } from "./format.js";
import { has, own, t } from "./texts.js";

const TIMEOUT_MS = 10000;
const WAIT_MS = 250;
const AGAIN_MS = 3000;
const SAID_MS = 6000;
let act = null;
let timer = 0;
let asked = 0;
let listed = "";
let refusedAt = -SAID_MS;

/** Build the sheet; `doAct(action, values, quiet)` resolves to null or {error, message}. */
export function buildTickets(doAct) {
  act = doAct;
  const input = find("[data-ticket-text]");
  input.addEventListener("input", () => searchSoon());
  find("[data-ticket-pad]").addEventListener("click", (event) => {
    const key = event.target.closest("button")?.dataset.digit;
    if (key === undefined) return;
    input.value = key === "back" ? input.value.slice(0, -1) : input.value + key;
    searchSoon();
  });
  find("[data-ticket-form]").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  find("[data-ticket-found]").addEventListener("click", (event) => {
    const button = event.target.closest("[data-ticket]");
    if (button) collect(button);
  });
  setInterval(lookAgain, AGAIN_MS);
  find("[data-collected]").addEventListener("click", async (event) => {
    const button = event.target.closest("[data-ticket]");
    if (button) await act("take_out", { ticket: button.dataset.ticket });
  });
}

/** Look for all that wait; called when the sheet opens. */
export function openTickets() {
  find("[data-ticket-text]").value = "";
  find("[data-ticket-found]").replaceChildren();
  listed = "";
  tell("");
  search();
}

/** Offer the sheet at a till with counters; show what lies in the basket and what was paid. */
export function showTickets({ tickets, screen, phone_pay: phonePay }) {
  for (const button of document.querySelectorAll("[data-tickets-open]")) show(button, Array.isArray(tickets));
  document.body.classList.toggle("no-phone-pay", !phonePay);
  const there = tickets ?? [];
  const inBasket = screen === "basket" ? there : [];
  const strip = find("[data-collected]");
  show(strip, inBasket.length > 0);
  refill(strip, JSON.stringify([inBasket, t("ticket_out"), own({ a: "0", a_en: "1" }, "a")]), () => inBasket.map(chip));
  const paid = screen === "paid" ? there : [];
  const codes = find("[data-ticket-codes]");
  show(codes, paid.length > 0);
  refill(find("ul", codes), JSON.stringify([paid, t("ticket_code")]), () => paid.map(paidRow));
}

/** The ids of the lines that tickets gave to the basket, with whose they are. */
export function ticketLines(tickets) {
  return new Map((tickets ?? []).flatMap((one) => (one.lines ?? []).map((line) => [line, one])));
}

function chip(ticket) {
  const words = make("span", "", make("strong", "", own(ticket, "tenant")), ` ${ticket.number} · ${yuan(ticket.total_fen)}`);
  const button = makeButton("take-out", { ticket: ticket.id }, makeIcon("close"));
  button.ariaLabel = t("ticket_out", { number: ticket.number });
  return make("li", "", words, button);
}

function paidRow(ticket) {
  const words = make("span", "", make("strong", "", own(ticket, "tenant")), ` ${ticket.number}`);
  const code = make("strong", "release", ticket.release_code ?? "—");
  return make("li", "", words, make("span", "where", t("ticket_counter", { counter: ticket.counter })), code);
}

function searchSoon() {
  refusedAt = -SAID_MS;
  clearTimeout(timer);
  timer = setTimeout(search, WAIT_MS);
}

/** Guides go on writing and phones go on paying while the list is open. */
function lookAgain() {
  if (!timer && !document.hidden && find("[data-ticket-found]").checkVisibility()) search();
}

async function search() {
  clearTimeout(timer);
  timer = 0;
  const { workstation } = document.body.dataset;
  const text = find("[data-ticket-text]").value;
  const number = ++asked;
  const address = `/api/kiosk/${encodeURIComponent(workstation)}/tickets?text=${encodeURIComponent(text)}`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const found = answer.ok ? await answer.json() : [];
    if (number !== asked) return;
    const now = JSON.stringify([found, t("ticket_collect")]);
    // What has not changed stays as it is, and with it the button under a finger.
    if (now !== listed) find("[data-ticket-found]").replaceChildren(...found.map(foundRow));
    listed = now;
    if (performance.now() - refusedAt > SAID_MS) tell(found.length ? "" : t("ticket_none"));
  } catch {
    tell(t("error_unreachable"));
  }
}

function tell(words) {
  say(find("[data-ticket-problem]"), words);
}

function foundRow(ticket) {
  const head = make("p", "ticket-head", make("strong", "", own(ticket, "tenant")), make("span", "", `${ticket.number} · ${ticket.issued}`));
  const goods = make("p", "ticket-goods", `${own(ticket, "goods")}${ticket.count > 3 ? "…" : ""}`);
  const takeable = ticket.problem === null || ticket.at_phone;
  const key = ticket.at_phone ? "ticket_take_over" : "ticket_collect";
  const why = `ticket_why_${ticket.problem}`;
  const end = takeable
    ? makeButton("primary", { ticket: ticket.id, over: ticket.at_phone ? "yes" : "" }, t(key))
    : make("strong", "ticket-why", has(why) ? t(why) : t("ticket_why_other"));
  return make("li", "", make("div", "", head, goods), make("strong", "ticket-total", yuan(ticket.total_fen)), end);
}

async function collect(button) {
  button.disabled = true;
  const { ticket, over } = button.dataset;
  const error = await act("collect", { ticket, take_over: over === "yes" }, true);
  listed = "";
  if (error) {
    refusedAt = performance.now();
    tell(t(error.error === "unreachable" || error.error === "unavailable" ? "ticket_wait" : "ticket_busy"));
    replay(find("[data-overlay=tickets] .pinpad"), "shake");
  }
  await search();
}
