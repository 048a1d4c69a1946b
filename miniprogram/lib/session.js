// Who this phone is to one box: wx.login, the token that came of it, and signing in again when it has ended.
const { ApiError, sendWithRetries } = require('./wire');

const opening = {};

/** Return the session with a box, signing in if there is none: {token, c, signedIn}. */
function open(asked) {
  const kept = read(asked.base);
  return kept ? Promise.resolve(kept) : renew(asked);
}

/**
 * Sign in and return the session. asked: {base, language, c}. Calls at once share one sign-in.
 * A box that cannot reach WeChat's servers still gives a session, one of nobody yet.
 */
function renew(asked) {
  if (!opening[asked.base]) {
    opening[asked.base] = signIn(asked).finally(() => {
      delete opening[asked.base];
    });
  }
  return opening[asked.base];
}

/** Return the session if it is signed in, else try to sign this very session in, and return what it is then. */
async function signedIn(asked) {
  const kept = await open(asked);
  return kept.signedIn ? kept : renew(asked);
}

async function signIn(asked) {
  const kept = read(asked.base);
  try {
    return keep(asked.base, await logIn(asked, kept && kept.token));
  } catch (error) {
    if (!(error instanceof ApiError) || error.word === 'offline') throw error;
    if (kept && error.word !== 'no_session') return kept;
    if (kept) {
      forget(asked.base);
      return signIn(asked);
    }
    const body = { ...wayOf(asked), language: asked.language };
    return keep(asked.base, await call(asked, '/session', body));
  }
}

async function logIn(asked, token) {
  const attempt = async () => call(asked, '/login', { code: await wxLogin(), ...wayOf(asked) }, token);
  try {
    return await attempt();
  } catch (error) {
    // A code counts once and for five minutes: one that was refused is worth one more.
    if (error.word !== 'login_refused') throw error;
    return attempt();
  }
}

function call(asked, path, data, token) {
  const header = { 'Accept-Language': asked.language, 'Content-Type': 'application/json' };
  if (token) header.Authorization = `Bearer ${token}`;
  return sendWithRetries({ url: `${asked.base}/phone/api/v1${path}`, method: 'POST', data, header });
}

function wxLogin() {
  return new Promise((resolve, reject) => {
    wx.login({
      success: ({ code }) => (code ? resolve(code) : reject(new ApiError('login_refused'))),
      fail: () => reject(new ApiError('login_refused')),
    });
  });
}

function wayOf({ c }) {
  const launched = wx.getLaunchOptionsSync ? wx.getLaunchOptionsSync() : {};
  return { ...(c ? { c } : {}), ...(launched.scene ? { scene: launched.scene } : {}) };
}

function name(base) {
  return `session:${base}`;
}

function keep(base, answer) {
  const session = {
    token: answer.token,
    c: answer.c || '',
    signedIn: answer.signed_in === true,
    templates: answer.templates || [],
  };
  wx.setStorageSync(name(base), session);
  return session;
}

function read(base) {
  const kept = wx.getStorageSync(name(base));
  return kept && kept.token ? kept : null;
}

/** Forget the session: the box said that it has ended, or the member was erased. */
function forget(base) {
  wx.removeStorageSync(name(base));
}

module.exports = { open, renew, signedIn, forget };
