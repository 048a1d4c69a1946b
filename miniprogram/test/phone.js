// A phone for tests: a fake `wx` that remembers what was asked of it, before a box that answers by docs/protocols/phone-api.md.
const path = require('path');
const exparser = require('miniprogram-exparser');
const simulate = require('miniprogram-simulate');

const root = path.join(__dirname, '..');
const timing = require('../lib/timing');
const address = require('../lib/address');
const times = require('../lib/times');

const BASE = 'https://hq.example/b/demo-mall/till-1';
// WeChat's own compiler comes as a program for x86; elsewhere one of plain JavaScript takes its place.
const COMPILER = process.arch === 'x64' && process.platform === 'linux' ? 'official' : 'simulate';

const loaded = {};
const opened = [];

/** Return an answer kept in test/fixtures, a copy of its own each time. */
function fixture(name, changed = {}) {
  const { answer } = JSON.parse(JSON.stringify(require(`./fixtures/${name}.json`)));
  return { ...answer, ...changed };
}

/** A fake `wx`. Tests set what it answers: box routes, the scanner, WeChat's sheet; and read `log`. */
function newPhone({ language = 'zh_CN', scene = 1011, release = true } = {}) {
  const phone = {
    log: [],
    calls: [],
    storage: {},
    routes: [],
    scanned: [],
    sheet: 'success',
    loginCodes: 0,
    online: true,
    modal: true,
    subscribe: {},
  };
  phone.on = (method, pattern, answer) => {
    phone.routes.unshift({ method, pattern: new RegExp(`^${pattern}$`), answer });
  };
  phone.last = (name) => phone.log.filter((one) => one.name === name).slice(-1)[0];
  phone.asked = (method, pattern) =>
    phone.calls.filter((one) => one.method === method && new RegExp(`^${pattern}$`).test(one.path));
  phone.left = () => phone.log.filter((one) => ['navigateTo', 'redirectTo', 'reLaunch'].includes(one.name)).map((one) => one.url);
  phone.toast = () => (phone.last('showToast') || {}).title;
  phone.on('POST', '/login', () => fixture('login'));
  phone.on('POST', '/session', () => fixture('session'));
  global.wx = fakeWx(phone, { language, scene, release });
  address.forget();
  times.forget();
  return phone;
}

function fakeWx(phone, { language, scene, release }) {
  const note = (name) => (asked) => {
    phone.log.push({ name, ...asked });
    if (asked && asked.success) setTimeout(() => asked.success({}), 0);
  };
  return {
    getAppBaseInfo: () => ({ language }),
    getLaunchOptionsSync: () => ({ scene, query: {}, path: '' }),
    getAccountInfoSync: () => ({ miniProgram: { envVersion: release ? 'release' : 'develop' } }),
    getStorageSync: (name) => (name in phone.storage ? JSON.parse(phone.storage[name]) : ''),
    setStorageSync: (name, value) => {
      phone.storage[name] = JSON.stringify(value);
    },
    removeStorageSync: (name) => {
      delete phone.storage[name];
    },
    login: ({ success }) => {
      phone.loginCodes += 1;
      const code = `code-${phone.loginCodes}`;
      setTimeout(() => success({ code }), 0);
    },
    request: (asked) => request(phone, asked),
    requestPayment: (asked) => {
      phone.log.push({ name: 'requestPayment', ...asked });
      const said = phone.sheet;
      setTimeout(() => (said === 'success' ? asked.success({}) : asked.fail({ errMsg: `requestPayment:fail ${said}` })), 0);
    },
    scanCode: ({ success, fail }) => {
      const result = phone.scanned.shift();
      setTimeout(() => (result ? success({ result }) : fail({ errMsg: 'scanCode:fail cancel' })), 0);
    },
    showModal: (asked) => {
      phone.log.push({ name: 'showModal', ...asked });
      setTimeout(() => asked.success({ confirm: phone.modal, cancel: !phone.modal }), 0);
    },
    requestSubscribeMessage: (asked) => {
      phone.log.push({ name: 'requestSubscribeMessage', ...asked });
      setTimeout(() => asked.success({ errMsg: 'ok', ...phone.subscribe }), 0);
    },
    navigateTo: note('navigateTo'),
    redirectTo: note('redirectTo'),
    reLaunch: note('reLaunch'),
    showToast: note('showToast'),
    setNavigationBarTitle: note('setNavigationBarTitle'),
    setClipboardData: note('setClipboardData'),
    stopPullDownRefresh: note('stopPullDownRefresh'),
  };
}

function request(phone, { url, method, data, header, success, fail }) {
  const found = /^(.*)\/phone\/api\/v1([^?]*)(?:\?(.*))?$/.exec(url);
  const call = { base: found[1], path: found[2], query: found[3] || '', method, body: data, header };
  phone.calls.push(call);
  setTimeout(() => {
    if (!phone.online) return fail({ errMsg: 'request:fail' });
    const route = phone.routes.find((one) => one.method === method && one.pattern.test(call.path));
    if (!route) throw new Error(`the test has no answer to ${method} ${call.path}`);
    const answer = typeof route.answer === 'function' ? route.answer(call) : route.answer;
    if (answer === 'offline') return fail({ errMsg: 'request:fail' });
    const { status = 200, header: heads = {}, ...rest } = answer && answer.status ? answer : { body: answer };
    return success({ statusCode: status, data: rest.body === undefined ? '' : rest.body, header: heads });
  }, 0);
}

/** An answer that is not 200: the error's word in the box's own JSON. */
function refused(status, word, message = '', header = {}) {
  return { status, body: { error: word, message }, header };
}

/** Render a page, open it with a launch query, and wait until it stands. Returns {page, dom, find, all, text, tap}. */
async function openPage(name, query = {}) {
  const file = path.join(root, 'pages', name, name);
  if (!loaded[name]) loaded[name] = simulate.load(file, 'page', { rootPath: root, compiler: COMPILER });
  const page = simulate.render(loaded[name]);
  const parent = document.createElement('parent-wrapper');
  page.attach(parent);
  page.instance.onLoad(query);
  const shown = handle(page);
  opened.push(shown);
  await until(() => page.data.status !== 'loading' || !page.instance.params);
  return shown;
}

/** Return the page that was opened last, also while it still loads. */
function latest() {
  return opened[opened.length - 1];
}

/** Keep back every call whose address holds one of these; what is returned lets each go by its name, and waits for its answer. */
function hold(names) {
  const kept = {};
  const { request: send } = global.wx;
  global.wx.request = (asked) => {
    const name = names.find((one) => asked.url.includes(one));
    if (!name) return send(asked);
    kept[name] = () =>
      new Promise((resolve) => {
        const then = (how) => (answer) => {
          how(answer);
          setTimeout(resolve, 0);
        };
        send({ ...asked, success: then(asked.success), fail: then(asked.fail) });
      });
    return undefined;
  };
  return kept;
}

/** A page in a test's hand. qr: the picture that its QR code shows; simulated elements keep no attributes, so it is read of the component. */
function handle(page) {
  // miniprogram-simulate puts the component's name before each class: "pay-box--button".
  const all = (name) =>
    [...page.dom.querySelectorAll('*')].filter((one) => [...one.classList].some((own) => own.split('--').pop() === name));
  const one = (name, nth = 0) => {
    const found = all(name)[nth];
    if (!found) throw new Error(`the page shows no ${name}: ${page.dom.textContent}`);
    return found;
  };
  const send = async (name, event, detail = {}, nth = 0) => {
    const options = { bubbles: true, capturePhase: true, composed: true };
    exparser.Event.dispatchEvent(one(name, nth).__wxElement, exparser.Event.create(event, detail, options));
    await pause();
  };
  return {
    page,
    all,
    one,
    send,
    tap: (name, nth) => send(name, 'tap', {}, nth),
    has: (name) => all(name).length > 0,
    data: () => page.data,
    words: (name, nth) => one(name, nth).textContent.trim(),
    qr: () => one('qr-picture').__wxElement.ownerShadowRoot.__wxHost.data.picture,
    text: () => page.dom.textContent,
    close: () => page.instance.onUnload(),
  };
}

function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** Wait until something is so: at most two seconds. */
async function until(condition) {
  const end = Date.now() + 2000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it has not come to that within two seconds');
    await pause();
  }
}

/** Close every page: nothing goes on looking after its test. */
function closeAll() {
  while (opened.length) opened.pop().close();
}

/** Make every wait of the mini-program short. */
function hurry() {
  timing.retry = [1, 1];
  timing.ask = timing.ask.map(() => 1);
  timing.look = 5;
}

module.exports = { BASE, fixture, newPhone, refused, openPage, latest, hold, closeAll, until, pause, hurry };
