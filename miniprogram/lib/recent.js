// The last few purchases on this phone: an exit code or a receipt is found again after its page was closed, and at the
// exit, where there may be no network, the code is still here.

const KEY = 'recent';
const LIMIT = 5;
const KEEP_MS = 24 * 3600 * 1000;

/** Return the purchases of the last day, newest first: [{order, receipt, number, kind, ticket, base, exit, at}]. */
function list(now = Date.now()) {
  const kept = wx.getStorageSync(KEY);
  return (Array.isArray(kept) ? kept : []).filter((one) => now - one.at < KEEP_MS);
}

/** Return what is known of an order, null without. */
function find(order) {
  return list().find((one) => one.order === order) || null;
}

/** Remember something of an order; it becomes the newest. */
function note(order, known, now = Date.now()) {
  const found = list(now);
  const before = found.find((one) => one.order === order) || { order, at: now };
  const others = found.filter((one) => one.order !== order);
  wx.setStorageSync(KEY, [{ ...before, ...known }, ...others].slice(0, LIMIT));
}

/** Change what is known of an order that is kept; its place stays. */
function amend(order, known, now = Date.now()) {
  wx.setStorageSync(KEY, list(now).map((one) => (one.order === order ? { ...one, ...known } : one)));
}

module.exports = { list, find, note, amend };
