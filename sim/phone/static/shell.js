// The phone: whose it is, what it opens, and in which of its programs.

import { hush, loud } from "./loud.js";
import { phone } from "./phone.js";
import { Program } from "./program.js";
import { readPage, scan, startScanner } from "./scanner.js";
import { askNumber, askSubscription, choose, h, modal, pay, toast, yuan } from "./sheets.js";
import { word } from "./texts.js";
import { address } from "./wx.js";

const MESSAGES_MS = 3_000;
const SCENES = { recent: 1089, code: 1011, album: 1013, round: 1047, message: 1014 };
const at = (id) => document.getElementById(id);
let program = null;
let wallets = [];
const kept = { wallet: "", language: "zh", opens: "program", haste: "0", ...JSON.parse(localStorage.getItem("phone") ?? "{}") };

function keep(changes) {
  Object.assign(kept, changes);
  localStorage.setItem("phone", JSON.stringify(kept));
}

function screen(name) {
  for (const one of ["home", "program", "browser"]) at(one).hidden = one !== name;
  if (at("phone").dataset.screen === "program" && name !== "program") program?.hide();
  at("phone").dataset.screen = name;
  if (name !== "program") {
    at("phone").style.background = "";
    at("toast").hidden = true;
  }
  if (name === "home") refreshHome();
}

function speak() {
  document.documentElement.lang = phone.language === "en" ? "en" : "zh-CN";
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = phone.word(one.dataset.word);
  for (const [id, value] of [["language", kept.language], ["opens-in", kept.opens], ["haste", kept.haste], ["network", phone.offline ? "off" : "on"]]) {
    for (const button of at(id).querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === value);
  }
  at("net").textContent = phone.offline ? "✕ ✈" : "5G ▮▮▮";
}

function endProgram() {
  program?.end();
  program = null;
}

async function refreshHome() {
  wallets = (await phone.gateway("GET", "/sim/wallets")).body;
  phone.wallet = wallets.find((one) => one.wallet_id === kept.wallet) ?? wallets.find((one) => one.name in phone.config.names) ?? wallets[0];
  keep({ wallet: phone.wallet.wallet_id });
  at("wallet").replaceChildren(...wallets.map((one) => h("option", { value: one.wallet_id, selected: one === phone.wallet }, `${one.name} · ${one.wallet_id}`)));
  at("name").textContent = at("whose").textContent = phone.wallet.name;
  at("face").textContent = phone.wallet.name[0];
  at("balance").textContent = yuan(phone.wallet.balance_fen);
  at("openid").textContent = `openid …${phone.wallet.openid.slice(-6)}`;
  await refreshMessages();
}

async function refreshMessages() {
  const { body } = await phone.gateway("GET", `/sim/wallets/${phone.wallet.wallet_id}/messages`);
  const lines = body.slice(0, 20).map((one) => h("li", {}, h("button", { onclick: () => openMessage(one) },
    h("strong", {}, one.template_id), ...Object.values(one.data ?? {}).map((field) => h("span", {}, field.value)))));
  at("messages").replaceChildren(...(lines.length ? lines : [h("li", {}, phone.word("none"))]));
}

function openMessage(message) {
  if (message.page) openProgram(...address(`/${message.page}`, ""), SCENES.message);
}

/** Open a page of the mini-program; no path for its first one. */
async function openProgram(path, query, scene) {
  hush();
  const enter = { path, query, scene };
  screen("program");
  if (program) return program.show(enter);
  const files = await (await fetch("/program.json")).json();
  phone.scene = () => program.enter.scene;
  try {
    program = new Program(files, at("stage"), enter);
  } catch (error) {
    loud(error);
    return undefined;
  }
  return program.launch();
}

function openBrowser(link) {
  screen("browser");
  at("web-host").textContent = new URL(link).host;
  at("frame").src = `/as/${phone.wallet.wallet_id}?language=${phone.language}&to=${encodeURIComponent(link)}`;
}

/** Do with a scanned or pasted text what WeChat does. */
async function openText(text, scene = SCENES.code) {
  const base = `${phone.config.public_url}/phone/`;
  if (text.startsWith("weixin://wxpay/")) {
    const reply = await phone.gateway("POST", `/sim/wallets/${phone.wallet.wallet_id}/scan`, { code_url: text });
    await phone.pay(reply);
    return;
  }
  if (text.startsWith(base) && kept.opens === "browser") return openBrowser(text);
  if (text.startsWith(base)) return openByRule(text, scene);
  const round = /^https:\/\/wxacode\.invalid\/([^/]+)\/([^?]*)\?scene=(.+)$/.exec(text);
  if (round && round[1] === phone.config.appid) {
    return openProgram(round[2] || phone.config.rule_page, { scene: encodeURIComponent(round[3]) }, SCENES.round);
  }
  await modal({ title: phone.word("cannotOpen"), content: text, showCancel: false });
}

function openByRule(link, scene) {
  const query = { q: encodeURIComponent(link), scancode_time: String(Math.floor(Date.now() / 1000)) };
  return openProgram(phone.config.rule_page, query, scene);
}

function paintBar() {
  const page = program?.top();
  if (!page) return;
  at("title").textContent = page.title;
  at("back").hidden = program.stack.length < 2;
  const look = { ...program.config.window, ...page.kind.json };
  const bar = at("program").querySelector(".bar");
  bar.style.background = at("phone").style.background = look.navigationBarBackgroundColor ?? "#fff";
  bar.style.color = look.navigationBarTextStyle === "black" ? "#000" : "#fff";
  at("stage").style.background = look.backgroundColor ?? "#fff";
  at("phone").dataset.route = page.path;
}

function fillPhone() {
  phone.word = (key) => word(key, phone.language);
  Object.assign(phone, { askNumber, askSubscription, modal, toast, barChanged: paintBar });
  phone.pay = async (reply) => {
    at("phone").dataset.pay = "open";
    const said = await pay(reply);
    at("phone").dataset.pay = said;
    return said;
  };
  phone.paid = refreshHome;
  phone.haste = () => new Promise((resolve) => { setTimeout(resolve, Number(kept.haste) * 1000); });
  phone.clipboard = (text) => { at("link").value = text; toast({ title: phone.word("copied") }); };
  phone.scan = async () => {
    const found = await scan(true);
    return found && { result: found.text, scanType: found.kind, charSet: "utf-8", path: "", rawData: "" };
  };
}

/** Hold the code on the screen up to a scanner in the mall. */
async function holdUp(shown) {
  const text = await readPage(shown);
  if (!text) return toast({ title: phone.word("noCode"), icon: "none" });
  return choose(phone.config.scanners.map((place) => [place, async () => {
    const body = JSON.stringify({ place, text });
    const answer = await fetch("/hold", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    toast({ title: answer.ok ? phone.word("beep") : (await answer.json()).error, icon: answer.ok ? "success" : "none" });
  }]));
}

function programMenu() {
  const page = program.top();
  choose([
    ["holdUp", () => holdUp(at("stage"))],
    ["refresh", () => { if (!page.pullDown()) toast({ title: phone.word("noRefresh"), icon: "none" }); }],
    ["toHome", () => program.open(program.config.pages[0], {}, "reLaunch")],
    ["where", () => modal({ title: page.path, content: JSON.stringify(page.query), showCancel: false })],
    ["inBrowser", () => openBrowser(page.query.q ? decodeURIComponent(page.query.q) : `${phone.config.public_url}/phone/me`)],
  ]);
}

function browserMenu() {
  const page = at("frame").contentDocument;
  choose([
    ["holdUp", () => holdUp(page)],
    ["readPage", async () => {
      const text = await readPage(page);
      if (text) await openText(text);
      else toast({ title: phone.word("noCode"), icon: "none" });
    }],
    ["inProgram", () => openByRule(phone.config.public_url.replace(/^(https?:\/\/[^/]+).*/, "$1") + page.location.pathname + page.location.search, SCENES.code)],
  ]);
}

// A link to WeChat Pay on a page opens the sheet, as it does on a phone.
function watchFrame() {
  const page = at("frame").contentDocument;
  at("web-title").textContent = page?.title ?? "";
  page?.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='weixin:']");
    if (link) { event.preventDefault(); openText(link.href); }
  });
}

function listen() {
  const choice = (id, act) => at(id).addEventListener("click", (event) => {
    if (event.target.tagName === "BUTTON") { act(event.target.value); speak(); }
  });
  choice("language", (value) => { keep({ language: value }); phone.language = value; endProgram(); refreshHome(); });
  choice("opens-in", (value) => keep({ opens: value }));
  choice("haste", (value) => keep({ haste: value }));
  choice("network", (value) => { phone.offline = value === "off"; });
  at("wallet").onchange = () => become(at("wallet").value);
  at("new-wallet").onclick = async () => {
    const name = `${phone.language === "en" ? "Visitor" : "访客"} ${wallets.length + 1}`;
    const { body } = await phone.gateway("POST", "/sim/wallets", { name, balance_fen: 500_000, password_above_fen: 0, habit: "waits" });
    become(body.wallet_id);
  };
  at("open-scan").onclick = async () => { const found = await scan(false); if (found) await openText(found.text); };
  document.querySelector(".link").onsubmit = (event) => { event.preventDefault(); openText(at("link").value.trim()); };
  at("recent").onclick = () => (program ? (screen("program"), program.show(null)) : openProgram("", {}, SCENES.recent));
  at("back").onclick = () => program.back();
  at("close").onclick = at("leave").onclick = at("bottom").onclick = () => screen("home");
  at("more").onclick = programMenu;
  at("web-more").onclick = browserMenu;
  at("web-back").onclick = () => at("frame").contentWindow.history.back();
  at("web-again").onclick = () => at("frame").contentWindow.location.reload();
  at("frame").onload = watchFrame;
  at("hush").onclick = hush;
  document.addEventListener("pointerdown", () => { phone.touchedAt = performance.now(); }, true);
  window.addEventListener("unhandledrejection", (event) => loud(event.reason?.errMsg ?? event.reason));
  window.addEventListener("error", (event) => loud(event.error ?? event.message));
}

function become(walletId) {
  endProgram();
  keep({ wallet: walletId });
  return refreshHome();
}

function measure() {
  const { width, height } = at("phone").getBoundingClientRect();
  at("phone").style.setProperty("--screen", `${width}px`);
  at("phone").style.setProperty("--tall", `${height}px`);
}

async function start() {
  fillPhone();
  phone.config = await (await fetch("/phone.json")).json();
  const asked = new URLSearchParams(location.search);
  const wish = { wallet: asked.get("wallet"), language: asked.get("language"), opens: asked.get("in") };
  keep(Object.fromEntries(Object.entries(wish).filter(([, value]) => value)));
  phone.language = kept.language;
  listen();
  startScanner();
  speak();
  measure();
  window.addEventListener("resize", measure);
  await refreshHome();
  const clock = () => { at("clock").textContent = new Date().toTimeString().slice(0, 5); };
  clock();
  setInterval(clock, 10_000);
  setInterval(() => { if (at("phone").dataset.screen === "home") refreshMessages(); }, MESSAGES_MS);
  at("phone").dataset.ready = "yes";
  if (asked.get("open")) await openText(asked.get("open"));
}


start().catch(loud);
