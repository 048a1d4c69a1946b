// The words of the page. All of them come from texts/<language>.json; none is written in the code.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
let language = "zh";

/** Say which language is shown from now on; returns whether that is a change. */
export function setLanguage(wanted) {
  if (wanted === language && document.documentElement.dataset.language === wanted) return false;
  language = wanted in TEXTS ? wanted : "zh";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.language = language;
  return true;
}

/** The text of a key with its {placeholders} filled; what is missing stays empty. */
export function t(key, values = {}) {
  const text = TEXTS[language][key];
  if (text === undefined) return "";
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether there is such a text. */
export function has(key) {
  return key in TEXTS[language];
}

/** A thing's own text in the present language: `field` in Chinese, `field_en` in English. */
export function own(thing, field) {
  return (language === "en" && thing[`${field}_en`]) || thing[field] || thing[`${field}_en`] || "";
}

/** What a tender is called. */
export function tenderName({ kind }) {
  return has(`tender_${kind}`) ? t(`tender_${kind}`) : t("tender_other");
}

/** A wallet's name. */
export function walletName(wallet) {
  return has(`wallet_${wallet}`) ? t(`wallet_${wallet}`) : t("wallet_other");
}

/** The names of wallets, joined by "or". */
export function walletNames(wallets) {
  return wallets.map(walletName).join(t("wallet_or"));
}

/** Fill every fixed text of the page. */
export function fillTexts() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
  }
  const { shop, shopEn } = document.body.dataset;
  for (const node of document.querySelectorAll("[data-shop-name]")) {
    node.textContent = language === "en" ? shopEn : shop;
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    if (button.tagName === "BUTTON") button.setAttribute("aria-pressed", button.dataset.language === language);
  }
}
