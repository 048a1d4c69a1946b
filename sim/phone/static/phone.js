// What the mini-program's runtime asks of the phone around it; shell.js fills it in.

export const phone = {
  /** {public_url, appid, rule_page, names} of the server. */
  config: null,
  /** {wallet_id, name, openid, balance_fen} of whose phone this is. */
  wallet: null,
  language: "zh",
  /** Whether the phone has no network just now. */
  offline: false,
  /** When a person last touched the screen, in milliseconds of performance.now(). */
  touchedAt: -Infinity,
  scene: () => 1001,
  word: (key) => key,
  askNumber: async () => ({ errMsg: "getPhoneNumber:fail user deny" }),
  askSubscription: async () => ({}),
  pay: async () => "",
  scan: async () => null,
  modal: async () => ({ confirm: true }),
  toast: () => {},
  clipboard: () => {},
  barChanged: () => {},

  /** Return where a picture of the mini-program is to be had: its own file, or one of the box. */
  pictureUrl(source) {
    if (source.startsWith("data:")) return source;
    const { public_url: base } = this.config;
    if (source.startsWith(`${base}/`)) return `/relay${source.slice(base.length)}`;
    if (/^[a-z]+:/.test(source)) throw new Error(`the picture ${source} is not of the allowed domain ${base}`);
    return `/program/${source.replace(/^\//, "")}`;
  },

  /** Ask the wallet's office. Returns {status, body}. */
  async gateway(method, path, body) {
    const init = { method, headers: { "Content-Type": "application/json" } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answer = await fetch(`/gateway${path}`, init);
    return { status: answer.status, body: await answer.json() };
  },
};
