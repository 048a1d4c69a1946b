// Draws a view of the counter: the list of tickets, and the ticket that is worked on.

import { find, make, makeButton, makeIcon, refill, say, show } from "../kiosk/dom.js";
import { kilograms, yuan } from "../kiosk/format.js";
import { has, own, t } from "../kiosk/texts.js";

const ZONE = document.body.dataset.zone;
const WORKING = ["open", "issued", "paying", "paid"];

/** Show the view of a guide who is signed in. */
export function drawDesk(view) {
  drawList(view);
  const ticket = view.ticket;
  show(find("[data-panel=none]"), !ticket);
  show(find("[data-panel=ticket]"), Boolean(ticket));
  if (ticket) drawTicket(view, ticket);
}

function drawList(view) {
  const rows = [...view.tickets].sort((a, b) => rank(a) - rank(b) || b.opened_at - a.opened_at);
  say(find("[data-count]"), rows.length ? String(rows.length) : "");
  show(find("[data-list-empty]"), !rows.length);
  const key = JSON.stringify([rows, view.ticket?.id, document.documentElement.lang]);
  refill(find("[data-list]"), key, () => rows.map((row) => listRow(row, view.ticket?.id)));
}

function rank(row) {
  return row.state === "paid" ? 0 : WORKING.includes(row.state) ? 1 : 2;
}

function listRow(row, chosen) {
  const button = makeButton("ticket-row", { pick: row.id });
  button.setAttribute("aria-pressed", String(row.id === chosen));
  const state = make("span", `state ${row.state}`, t(`counter_state_${row.state}`));
  const sum = make("strong", "money", yuan(row.total_fen));
  button.append(make("span", "number", row.number), state, make("span", "label", own(row, "guide")), sum);
  if (row.refunded_fen) button.append(make("span", "label back", t("counter_refunded", { sum: yuan(row.refunded_fen) })));
  return make("li", "", button);
}

function drawTicket(view, ticket) {
  const open = ticket.state === "open";
  document.body.dataset.ticket = ticket.state;
  say(find("[data-number]"), ticket.number);
  say(find("[data-by]"), t("counter_by", { guide: own(ticket, "guide"), time: clock(ticket.opened_at) }));
  const state = find("[data-state]");
  state.className = `state ${ticket.state}`;
  say(state, t(`counter_state_${ticket.state}`));
  show(find("[data-scan]"), open);
  drawLines(ticket, open);
  say(find("[data-pieces]"), t("counter_pieces", { count: ticket.count }));
  say(find("[data-total]"), yuan(ticket.total_fen));
  drawSide(view, ticket);
  drawFoot(view, ticket);
}

function drawLines(ticket, open) {
  show(find("[data-lines-empty]"), !ticket.lines.length);
  const key = JSON.stringify([ticket.id, ticket.lines, open, document.documentElement.lang]);
  refill(find("[data-lines]"), key, () => ticket.lines.map((line) => lineRow(line, open)));
}

function lineRow(line, open) {
  const words = make("div", "words", make("strong", "", own(line, "name")), make("span", "label", priceWords(line)));
  if (line.override) {
    const { reason, approved_by: who } = line.override;
    words.append(make("span", "label lowered", t(who ? "counter_lowered_by" : "counter_lowered", { reason, who })));
  }
  const amount = make("div", "amounts", make("strong", "money", yuan(line.amount_fen)));
  if (line.was_fen) {
    const was = line.by_piece ? line.was_fen * line.quantity : line.was_fen;
    amount.append(make("s", "label", yuan(was)));
  }
  return make("li", "", words, open ? tools(line) : make("span"), amount);
}

function priceWords(line) {
  if (line.weight_g) return `${kilograms(line.weight_g)} × ${yuan(line.unit_price_fen)}/kg`;
  return `${line.quantity} × ${yuan(line.unit_price_fen)}`;
}

function tools(line) {
  const box = make("div", "tools");
  if (line.by_piece) {
    box.append(tool("less", line, "−", "counter_less", String(line.quantity - 1)));
    box.append(make("span", "many", String(line.quantity)));
    box.append(tool("more", line, "+", "counter_more", String(line.quantity + 1)));
  }
  if (!line.typed) box.append(tool("price", line, "¥", "counter_price_change"));
  const gone = tool("gone", line, "", "counter_remove", "0");
  gone.append(makeIcon("remove"));
  box.append(gone);
  return box;
}

function tool(kind, line, sign, label, quantity = "") {
  const button = makeButton("quiet", { line: line.line_id, tool: kind, quantity }, sign);
  button.setAttribute("aria-label", t(label, { name: own(line, "name") }));
  return button;
}

function drawSide(view, ticket) {
  const side = { issued: "issued", paying: "paying", paid: "paid" }[ticket.state] ?? (ticket.state === "open" ? "" : "over");
  for (const one of document.querySelectorAll("[data-side]")) show(one, one.dataset.side === side);
  if (side === "issued") {
    const address = `/api/counter/${encodeURIComponent(view.workstation)}/code.svg?${ticket.id}-${ticket.issued_at}`;
    setPicture(find("[data-qr]"), address);
    setPicture(find("[data-big-qr]"), address);
    say(find("[data-until]"), t("counter_until", { time: clock(ticket.expires_at) }));
    say(find("[data-big-number]"), ticket.number);
    say(find("[data-big-total]"), yuan(ticket.total_fen));
  }
  if (side === "paying") say(find("[data-paying-word]"), payingWord(view, ticket));
  if (side === "paid") {
    show(find("[data-release]"), ticket.needs_code && !ticket.locked);
    show(find("[data-side=paid] [data-do=hand-over]"), !ticket.needs_code);
    show(find("[data-do=force]"), ticket.needs_code);
    show(find("[data-locked]"), ticket.locked);
  }
  if (side === "over") say(find("[data-over]"), overWord(ticket));
}

function payingWord(view, ticket) {
  if (ticket.where === "phone") return t("counter_paying_phone");
  if (ticket.where !== "counter") return t("counter_paying_there", { place: ticket.where ?? "" });
  return t({ code: "counter_paying_code", unknown: "counter_paying_unknown" }[view.paying?.state] ?? "counter_paying_wait");
}

function overWord(ticket) {
  if (ticket.state === "handed_over") return t("counter_over_gone", { time: clock(ticket.closed_at), who: own(ticket, "closed_by") });
  const why = ticket.state === "expired" ? "expired" : ticket.end;
  return t(has(`counter_over_${why}`) ? `counter_over_${why}` : "counter_over_given_up", { time: clock(ticket.closed_at) });
}

function drawFoot(view, ticket) {
  const state = ticket.state;
  const here = state === "paying" && ticket.where === "counter" && view.paying?.state === "code";
  const shown = {
    issue: state === "open",
    cancel: ["open", "issued"].includes(state) || (state === "paying" && ticket.where === "phone"),
    "take-back": state === "issued" || (state === "paying" && ticket.where === "phone"),
    "pay-here": state === "issued" || here,
    "pay-back": here,
  };
  for (const [name, visible] of Object.entries(shown)) show(find(`.foot [data-do=${name}]`), visible);
  find("[data-do=issue]").disabled = !ticket.lines.length;
}

/** Wall time as "14:05" in the shop's zone. */
export function clock(at) {
  if (!at) return "";
  return new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: ZONE }).format(at);
}

function setPicture(node, address) {
  if (node.getAttribute("src") !== address) node.src = address;
}
