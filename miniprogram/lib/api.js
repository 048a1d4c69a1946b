// The calls of docs/protocols/phone-api.md to one box: with the session's token, again after a failure, in one language.
const session = require('./session');
const { sendWithRetries } = require('./wire');

/**
 * Return the calls to one box. asked: {base, language, c}; c may be set later on what is returned.
 * get(path, query) and post(path, body) resolve with the answer and reject with an ApiError.
 */
function openApi(asked) {
  const api = {
    base: asked.base,
    c: asked.c || '',
    get: (path, query) => call(api, asked, 'GET', `${path}${queryText({ ...query, c: api.c })}`),
    post: (path, body) => call(api, asked, 'POST', path, body || {}),
    session: () => session.open(current(api, asked)),
    signIn: () => session.signedIn(current(api, asked)),
    forget: () => session.forget(asked.base),
  };
  return api;
}

async function call(api, asked, method, path, data) {
  const who = await session.open(current(api, asked));
  try {
    return await sendAs(who, asked, method, path, data);
  } catch (error) {
    if (error.word !== 'no_session') throw error;
    session.forget(asked.base);
    return sendAs(await session.renew(current(api, asked)), asked, method, path, data);
  }
}

function sendAs(who, asked, method, path, data) {
  const header = { Authorization: `Bearer ${who.token}`, 'Accept-Language': asked.language };
  if (method === 'POST') header['Content-Type'] = 'application/json';
  return sendWithRetries({ url: `${asked.base}/phone/api/v1${path}`, method, data, header });
}

function current(api, asked) {
  return { ...asked, c: api.c };
}

function queryText(values) {
  const names = Object.keys(values).filter((name) => values[name] !== undefined && values[name] !== '');
  return names.length ? `?${names.map((name) => `${name}=${encodeURIComponent(values[name])}`).join('&')}` : '';
}

module.exports = { openApi };
