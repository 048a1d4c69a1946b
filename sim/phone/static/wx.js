// wx.*: the part that miniprogram/README.md names. Anything else is an error that is seen.

import { loud } from "./loud.js";
import { phone } from "./phone.js";
import { resolve } from "./wxss.js";

const CALLBACKS = ["success", "fail", "complete"];
const TOUCH_MS = 10_000;
const MOST_SUBSCRIPTIONS = 5;
const MOST_STORED = 1024 * 1024;

/** Why a call failed, as errMsg says it after "name:fail ". */
class Failed extends Error {
  constructor(why, more = {}) {
    super(why);
    this.more = more;
  }
}

/** Return the wx object of a mini-program. */
export function makeWx(program) {
  const calls = { ...asks(), ...moves(program), ...shows(program) };
  const wx = { ...knows(program), ...stores() };
  for (const [name, [fields, work]] of Object.entries(calls)) wx[name] = callable(name, fields, work);
  wx.request = request;
  return new Proxy(wx, {
    get(target, name) {
      if (name in target || typeof name === "symbol") return target[name];
      loud(`wx.${name} is not in the subset`);
      return () => { throw new Error(`wx.${name} is not in the subset`); };
    },
  });
}

/** Return a call as WeChat has them: told by callbacks, or by a promise when there are none. */
function callable(name, fields, work) {
  return (options = {}) => {
    checkFields(name, fields, options);
    const told = Promise.resolve().then(() => work(options)).then(
      (found) => ({ errMsg: `${name}:ok`, ...found }),
      (error) => {
        if (!(error instanceof Failed)) loud(error);
        throw { errMsg: `${name}:fail ${error.message}`, ...error.more };
      },
    );
    return finish(told, options);
  };
}

function finish(told, options) {
  if (!CALLBACKS.some((one) => options[one])) return told;
  told.then(
    (found) => tell(options, "success", found),
    (failed) => tell(options, "fail", failed),
  );
  return undefined;
}

function tell(options, name, value) {
  for (const one of [name, "complete"]) {
    try {
      const made = options[one]?.(value);
      if (made instanceof Promise) made.catch(loud);
    } catch (error) {
      loud(error);
    }
  }
}

function checkFields(name, fields, options) {
  for (const field of Object.keys(options)) {
    if (!fields.includes(field) && !CALLBACKS.includes(field)) loud(`wx.${name}({${field}}) is not in the subset`);
  }
}

const REQUEST_FIELDS = ["url", "method", "data", "header", "timeout", "dataType", "responseType"];

function request(options) {
  checkFields("request", REQUEST_FIELDS, options);
  const stop = new AbortController();
  const told = send(options, stop).then(
    (found) => ({ errMsg: "request:ok", ...found }),
    (error) => {
      if (!(error instanceof Failed)) loud(error);
      throw { errMsg: `request:fail ${error.message}`, errno: 600001 };
    },
  );
  const promise = finish(told, options);
  return Object.assign(promise ?? {}, { abort: () => stop.abort() });
}

async function send(options, stop) {
  const { url, method = "GET", header = {}, timeout = 60_000 } = options;
  const base = phone.config.public_url;
  if (!url.startsWith(`${base}/`)) {
    loud(`wx.request to ${url}: the allowed domain is ${base}`);
    throw new Failed("url not in domain list");
  }
  if (!["GET", "POST"].includes(method)) throw new Error(`wx.request by ${method} is not in the subset`);
  const [target, body, headers] = packed(url, method, options.data, header);
  if (phone.offline) throw new Failed("net::ERR_INTERNET_DISCONNECTED");
  const timer = setTimeout(() => stop.abort(), timeout);
  try {
    const answer = await fetch(`/relay${target.slice(base.length)}`, {
      method, body, headers, signal: stop.signal, credentials: "omit", redirect: "error",
    });
    // The phone's own server says 502 when it reaches nobody: on a phone that is no answer at all.
    if (answer.status === 502 && answer.headers.get("Content-Type")?.startsWith("text/plain")) {
      throw new Failed((await answer.text()).replace("request:fail ", ""));
    }
    return { statusCode: answer.status, header: Object.fromEntries(answer.headers), cookies: [], data: await unpacked(answer, options) };
  } catch (error) {
    if (error.name === "AbortError") throw new Failed("timeout");
    if (error instanceof TypeError) throw new Failed(error.message);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function packed(url, method, data, header) {
  const headers = { "Accept-Language": phone.language === "zh" ? "zh-CN,zh" : "en", ...header };
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === "referer") throw new Error("wx.request: Referer cannot be set");
  }
  if (method === "GET") {
    const query = Object.entries(data ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    return [query ? `${url}${url.includes("?") ? "&" : "?"}${query}` : url, undefined, headers];
  }
  const kind = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type");
  if (!kind) headers["Content-Type"] = "application/json";
  const raw = data instanceof ArrayBuffer || typeof data === "string";
  return [url, data === undefined ? undefined : raw ? data : JSON.stringify(data), headers];
}

async function unpacked(answer, { dataType = "json", responseType = "text" }) {
  if (responseType === "arraybuffer") return answer.arrayBuffer();
  const text = await answer.text();
  if (dataType !== "json") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function asks() {
  const wallet = () => `/sim/wallets/${phone.wallet.wallet_id}`;
  return {
    login: [["timeout"], async () => {
      if (phone.offline) throw new Failed("net::ERR_INTERNET_DISCONNECTED");
      return { code: (await phone.gateway("POST", `${wallet()}/login-code`, {})).body.code };
    }],
    requestPayment: [["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"], async (options) => {
      const { timeStamp, nonceStr, package: prepay, signType, paySign } = options;
      const given = { appId: phone.config.appid, timeStamp, nonceStr, package: prepay, signType, paySign };
      const said = await phone.pay(await phone.gateway("POST", `${wallet()}/request-payment`, given));
      if (said !== "requestPayment:ok") throw new Failed(said.replace(/^requestPayment:fail ?/, ""));
      phone.touchedAt = performance.now();
      return {};
    }],
    requestSubscribeMessage: [["tmplIds"], async ({ tmplIds }) => {
      if (performance.now() - phone.touchedAt > TOUCH_MS) {
        throw new Failed("can only be invoked by user TAP gesture.", { errCode: 20001 });
      }
      if (!tmplIds.length || tmplIds.length > MOST_SUBSCRIPTIONS) {
        throw new Failed("tmplIds must be 1 to 5", { errCode: 20003 });
      }
      return phone.askSubscription(tmplIds);
    }],
    scanCode: [["onlyFromCamera", "scanType"], async () => {
      const found = await phone.scan();
      if (!found) throw new Failed("cancel");
      return found;
    }],
  };
}

function moves(program) {
  const move = (how) => [["url"], ({ url }) => {
    const [path, query] = address(url, program.top()?.path ?? "");
    try {
      program.open(path, query, how);
    } catch (error) {
      loud(error);
      throw new Failed(error.message);
    }
  }];
  return { navigateTo: move("navigateTo"), redirectTo: move("redirectTo"), reLaunch: move("reLaunch") };
}

/** Return [path, query] of an address inside the mini-program; values stay as they are written. */
export function address(url, from) {
  const [path, tail = ""] = url.split("?");
  const query = {};
  for (const one of tail.split("&").filter(Boolean)) {
    const [name, ...value] = one.split("=");
    query[name] = value.join("=");
  }
  return [resolve(from, path), query];
}

function shows(program) {
  return {
    showToast: [["title", "icon", "duration", "mask"], (options) => { phone.toast(options); }],
    showModal: [
      ["title", "content", "showCancel", "cancelText", "confirmText", "cancelColor", "confirmColor"],
      async (options) => {
        const confirm = await phone.modal(options);
        return { confirm, cancel: !confirm };
      },
    ],
    setNavigationBarTitle: [["title"], ({ title }) => {
      if (program.top()) program.top().title = title;
      phone.barChanged();
    }],
    setClipboardData: [["data"], ({ data }) => { phone.clipboard(String(data)); }],
    stopPullDownRefresh: [[], () => ({})],
  };
}

function knows(program) {
  const tongue = () => (phone.language === "zh" ? "zh_CN" : "en");
  return {
    getAppBaseInfo: () => ({ language: tongue(), version: "8.0.50", SDKVersion: "3.6.0", theme: "light", enableDebug: false }),
    getAccountInfoSync: () => ({ miniProgram: { appId: phone.config.appid, envVersion: "develop", version: "" } }),
    getLaunchOptionsSync: () => structuredClone({ ...program.enter, referrerInfo: {} }),
    getSystemInfoSync: () => ({ language: tongue(), SDKVersion: "3.6.0", platform: "devtools", windowWidth: 390, windowHeight: 730 }),
  };
}

// Each shopper's phone has a store of its own.
function stores() {
  const key = (name) => `program/${phone.wallet.wallet_id}/${name}`;
  return {
    getStorageSync(name) {
      const text = localStorage.getItem(key(name));
      return text === null ? "" : JSON.parse(text);
    },
    setStorageSync(name, value) {
      const text = JSON.stringify(value);
      if (text === undefined || text.length > MOST_STORED) throw new Error(`setStorageSync:fail ${name} cannot be stored`);
      localStorage.setItem(key(name), text);
    },
    removeStorageSync: (name) => localStorage.removeItem(key(name)),
  };
}
