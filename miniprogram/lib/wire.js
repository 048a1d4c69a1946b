// One call over wx.request, and what can go wrong with it.
const times = require('./times');
const timing = require('./timing');

/** A call that failed. word: as in docs/protocols/phone-api.md, or "offline" when no answer came. */
class ApiError extends Error {
  constructor(word, message, status, retryAfter) {
    super(message || word);
    this.word = word;
    this.status = status || 0;
    this.retryAfter = retryAfter || 0;
  }

  /** Whether the same call may go through a moment later. */
  get passes() {
    return this.word === 'offline' || this.word === 'unavailable' || [502, 503, 504].includes(this.status);
  }
}

/** Send one request; resolve with the parsed answer, or reject with an ApiError. */
function send({ url, method, data, header }) {
  return new Promise((resolve, reject) => {
    wx.request({
      url,
      method,
      data,
      header,
      timeout: timing.request,
      dataType: 'json',
      success: (answer) => {
        times.heed(headerOf(answer.header, 'mall-utc-offset'));
        if (answer.statusCode >= 200 && answer.statusCode < 300) resolve(answer.data || null);
        else reject(errorOf(answer));
      },
      fail: () => reject(new ApiError('offline')),
    });
  });
}

function errorOf({ statusCode, data, header }) {
  const said = data && typeof data === 'object' ? data : {};
  const words = { 401: 'no_session', 404: 'not_found', 429: 'too_often' };
  const word = said.error || words[statusCode] || (statusCode >= 500 ? 'unavailable' : 'invalid');
  return new ApiError(word, said.message, statusCode, retryAfter(header) * 1000);
}

function retryAfter(header) {
  return Number(headerOf(header, 'retry-after')) || 0;
}

/** Return a header of an answer by its name in small letters, "" without; phones differ in how they write names. */
function headerOf(header, wanted) {
  const name = Object.keys(header || {}).find((one) => one.toLowerCase() === wanted);
  return name ? String(header[name]) : '';
}

/** Wait so many milliseconds. */
function wait(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Send a request, and again while it may go through a moment later. */
async function sendWithRetries(asked) {
  for (let tried = 0; ; tried += 1) {
    try {
      return await send(asked);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.passes || tried >= timing.retry.length) throw error;
      if (error.retryAfter > timing.retryAfter) throw error;
      await wait(Math.max(timing.retry[tried], error.retryAfter));
    }
  }
}

module.exports = { ApiError, sendWithRetries, wait };
