// The basket's list, updated line by line: what did not change is not touched.

import { find, make, makeButton, makeIcon, replay, say } from "./dom.js";
import { kilograms, yuan } from "./format.js";
import { own, t } from "./texts.js";

const rows = new Map();
let shownBefore = false;

/** Show these lines; the one that is new or has grown is highlighted and scrolled to. */
export function showLines(basket, owners = new Map()) {
  const list = find("#lines");
  const lines = basket?.lines ?? [];
  dropGone(lines);
  let fresh = null;
  lines.forEach((line, index) => {
    const row = rows.get(line.id) ?? addRow(line.id);
    const before = row.line;
    updateRow(row, line);
    markOwner(row, owners.get(line.id));
    if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index] ?? null);
    if (!before || line.quantity > before.quantity) fresh = row;
  });
  if (fresh && shownBefore) replay(fresh.node, "fresh");
  fresh?.node.scrollIntoView({ block: "nearest" });
  shownBefore = true;
}

/** The quantity to ask for when a stepper is touched: taps add up while answers are on their way. */
export function stepQuantity(lineId, step) {
  const row = rows.get(lineId);
  if (!row) return null;
  row.wanted = Math.max(0, (row.wanted ?? row.line.quantity) + step);
  row.asking += 1;
  say(row.quantity, String(row.wanted));
  return row.wanted;
}

/** An answer to `stepQuantity` came; from the last one on, the box's word is shown again. */
export function stepAnswered(lineId) {
  const row = rows.get(lineId);
  if (!row) return;
  row.asking -= 1;
  if (row.asking > 0) return;
  row.wanted = null;
  say(row.quantity, String(row.line.quantity));
}

function dropGone(lines) {
  const kept = new Set(lines.map((line) => line.id));
  for (const [id, row] of rows) {
    if (kept.has(id)) continue;
    row.node.remove();
    rows.delete(id);
  }
}

function addRow(id) {
  const name = make("strong");
  const detail = make("span", "detail");
  const age = make("span", "age-badge");
  const quantity = make("output", "quantity");
  const less = makeButton("step", { step: "-1", line: id }, "−");
  const more = makeButton("step", { step: "1", line: id }, "+");
  const stepper = make("div", "stepper", less, quantity, more);
  const amount = make("span", "amount");
  const remove = makeButton("remove", { act: "remove", line: id }, makeIcon("remove"));
  const title = make("p", "name", name, age);
  const node = make("li", "line", make("div", "what", title, detail), stepper, amount, remove);
  node.dataset.id = id;
  const row = { node, name, detail, age, quantity, less, more, stepper, amount, remove, asking: 0, wanted: null };
  rows.set(id, row);
  return row;
}

function updateRow(row, line) {
  row.line = line;
  row.node.dataset.sku = line.sku;
  say(row.name, own(line, "name"));
  say(row.detail, detailOf(line));
  say(row.amount, yuan(line.amount_fen));
  if (row.wanted === null) say(row.quantity, String(line.quantity));
  row.stepper.classList.toggle("weighed", line.weight_g !== null);
  row.age.hidden = !line.age_min;
  say(row.age, line.age_min ? `${line.age_min}+` : "");
  label(row.less, "less", line);
  label(row.more, "more", line);
  label(row.remove, "remove", line);
}

/** A line of a counter's ticket is changed with its ticket only. */
function markOwner(row, ticket) {
  row.node.classList.toggle("of-ticket", Boolean(ticket));
  if (ticket) say(row.detail, `${own(ticket, "tenant")} ${ticket.number} · ${detailOf(row.line)} × ${row.line.quantity}`);
}

function detailOf(line) {
  if (line.weight_g === null) return t("each", { price: yuan(line.unit_price_fen) });
  return t("by_weight", { weight: kilograms(line.weight_g), price: yuan(line.unit_price_fen) });
}

function label(button, key, line) {
  const text = t(key, { name: own(line, "name") });
  if (button.ariaLabel !== text) button.ariaLabel = text;
}
