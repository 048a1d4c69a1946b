// The screen after payment: thanks, receipt and the tenant's page.

import { countDown } from "./countdown.js";
import { find, make, makeIcon, refill, say, show } from "./dom.js";
import { yuan } from "./format.js";
import { has, own, t, tenderName } from "./texts.js";

const BLOCK_ICONS = {
  text: "info", offer: "gift", coupon: "gift", join: "person", follow: "bell", parking: "car", guide: "person", next_store: "info",
};
const LAST_SECONDS = 60;

/** Show what was paid, the receipt and the landing page. */
export function showPaid(view) {
  const { order, receipt, landing } = view;
  say(find("[data-paid]"), order ? yuan(order.total_fen) : "");
  showTenders(order);
  showChange(order);
  showReceipt(receipt);
  showLanding(landing);
  const left = view.screen === "paid" ? view.idle_s_left : null;
  say(find("[data-done]"), t("done"));
  countDown("done", left, (seconds) => {
    const last = seconds <= LAST_SECONDS ? t("done_in", { s: Math.ceil(seconds) }) : t("done");
    say(find("[data-done]"), last);
  });
}

function showTenders(order) {
  const tenders = order?.tenders ?? [];
  const words = tenders.map((tender) => `${tenderName(tender)} ${yuan(tender.amount_fen)}`);
  say(find("[data-paid-tenders]"), tenders.length > 1 ? words.join(" · ") : "");
}

function showChange(order) {
  const change = (order?.tenders ?? []).reduce((sum, tender) => sum + (tender.change_fen ?? 0), 0);
  const node = find("[data-change-due]");
  show(node, change > 0);
  say(find("strong", node), yuan(change));
}

function showReceipt(receipt) {
  show(find("[data-receipt]"), Boolean(receipt));
  document.body.dataset.printing = receipt?.printing ?? "";
  if (!receipt) return;
  const qr = find("[data-qr]");
  const address = `/phone/r/${encodeURIComponent(receipt.token)}/qr.svg`;
  // Without a public address there is nothing that a phone could open.
  const reachable = receipt.url.startsWith("http");
  const paper = receipt.printing !== "none";
  show(qr, reachable);
  find("[data-receipt]").classList.toggle("plain", !reachable);
  say(find("[data-receipt-title]"), t(reachable ? "receipt_title" : "receipt_title_plain"));
  show(find("[data-receipt-lead]"), reachable);
  show(find("[data-no-qr]"), !reachable);
  say(find("[data-no-qr]"), t(paper ? "receipt_none" : "receipt_none_plain"));
  show(find(".landing-foot"), reachable);
  if (reachable && qr.getAttribute("src") !== address) qr.src = address;
  qr.alt = t("receipt_title");
  say(find("[data-number]"), t("receipt_number", { number: receipt.number }));
  const key = `printing_${receipt.printing}`;
  say(find("[data-print-words]"), has(key) ? t(key) : "");
}

function showLanding(landing) {
  show(find("#landing"), Boolean(landing));
  find(".screen.paid").classList.toggle("alone", !landing);
  if (!landing) return;
  say(find("[data-landing-title]"), own(landing, "title"));
  const picture = find("[data-picture]");
  const local = landing.picture?.startsWith("/") && !landing.picture.startsWith("//");
  show(picture, Boolean(local));
  if (local && picture.getAttribute("src") !== landing.picture) picture.src = landing.picture;
  const key = JSON.stringify([landing.blocks, t("done")]);
  refill(find("[data-blocks]"), key, () => (landing.blocks ?? []).map(blockRow));
}

function blockRow(block) {
  const words = make("div", "", make("strong", "", own(block, "title")), make("p", "", own(block, "body")));
  for (const line of block.lines ?? []) words.append(make("p", "said", own(line, "words")));
  if (block.code) words.append(make("p", "coupon-code", block.code));
  const sign = blockPicture(block) ?? make("span", "block-sign", makeIcon(BLOCK_ICONS[block.kind] ?? "info"));
  const row = block.kind === "title" ? make("li", "", words) : make("li", "", sign, words);
  row.dataset.kind = block.kind;
  return row;
}

function blockPicture(block) {
  if (!block.picture?.startsWith("/") || block.picture.startsWith("//")) return null;
  const picture = make("img", "block-picture");
  picture.src = block.picture;
  picture.alt = "";
  return picture;
}
