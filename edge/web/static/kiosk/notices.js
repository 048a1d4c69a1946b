// The banner: what the box has to say, or why a touch did not work.

import { find, make, makeButton, makeIcon, refill, replay, say, show } from "./dom.js";
import { has, own, t, walletName, walletNames } from "./texts.js";

const LOCAL_MS = 6000;
const SIGNS = { info: "info", warn: "warn", error: "warn" };
let fromBox = null;
let local = null;
let accepted = [];
let screen = "";
let localTimer = 0;

/** Show the view's notice, or none. A new one takes the place of a local one. */
export function showNotice(view) {
  // The age sheet says the same in full.
  const notice = view.age && view.notice?.code === "age_needed" ? null : view.notice;
  if (notice && notice.id !== fromBox?.id) local = null;
  fromBox = notice;
  accepted = view.wallets;
  screen = view.screen;
  update();
}

/** Say why a touch did not work, for a few seconds. */
export function showProblem(error) {
  local = { id: `local ${performance.now()}`, level: "warn", code: `error_${error.error}`, params: {}, choices: [] };
  clearTimeout(localTimer);
  localTimer = setTimeout(() => {
    local = null;
    update();
  }, LOCAL_MS);
  update();
}

function update() {
  const notice = local ?? fromBox;
  const banner = find("#notice");
  show(banner, Boolean(notice));
  if (!notice) {
    delete banner.dataset.id;
    return;
  }
  const values = valuesOf(notice.params);
  const key = notice === local ? keyOfLocal(notice.code) : keyOf(notice);
  say(find("[data-title]", banner), t(key, values));
  say(find("[data-body]", banner), has(`${key}_more`) ? t(`${key}_more`, values) : "");
  refill(find(".sign", banner), notice.level, () => [makeIcon(SIGNS[notice.level] ?? "info")]);
  const choices = notice.choices ?? [];
  const choiceKey = JSON.stringify([notice.id, choices, values, t("choice_dismiss")]);
  refill(find("[data-choices]", banner), choiceKey, () => choices.map((choice) => choiceButton(choice, notice, values)));
  if (banner.dataset.id !== notice.id) replay(banner, "arrived");
  banner.dataset.id = notice.id;
  banner.dataset.level = notice.level;
  banner.dataset.code = notice.code;
}

function keyOf({ code, params }) {
  // A wallet's other codes, such as those for receiving money, are what shoppers show by mistake.
  if (code === "not_a_code" && screen === "checkout") return "notice_not_a_payment_code";
  if (code === "payment_declined" && has(`declined_${params.reason}`)) return `declined_${params.reason}`;
  return has(`notice_${code}`) ? `notice_${code}` : "notice_other";
}

function valuesOf(params) {
  return { ...params, name: own(params, "name"), wallet: walletName(params.wallet), wallets: walletNames(accepted) };
}

function keyOfLocal(code) {
  return has(code) ? code : "error_invalid";
}

function choiceButton(choice, notice, values) {
  const quiet = choice === "dismiss" && (notice.choices.length > 1 || notice.level === "info");
  const text = has(`choice_${choice}`) ? t(`choice_${choice}`, values) : t("choice_dismiss");
  return makeButton(quiet ? "quiet" : "primary", { act: choice, notice: notice.id }, make("span", "", text));
}
