// What a code, an address or a launch query means: the page, its values, and the shopper's way `c`.

const CORRELATION = /^[A-Za-z0-9_-]{1,64}$/;

// The addresses of docs/protocols/phone-api.md; the first that fits counts.
const PATHS = [
  [/^t\/([^/]+)$/, 'ticket', 'ticket'],
  [/^k\/([^/]+)$/, 'kiosk', 'code'],
  [/^shop$/, 'shop', ''],
  [/^exit\/([^/]+)$/, 'exit', 'order'],
  [/^me$/, 'me', ''],
  [/^parking$/, 'parking', ''],
  [/^parking\/lane\/([^/]+)$/, 'parking', 'lane'],
  [/^p\/([^/]+)$/, 'parking', 'ticket'],
  [/^parking\/([^/]+)$/, 'parking', 'ticket'],
  [/^r\/([^/]+)$/, 'paid', 'receipt'],
  [/^go\/([^/]+)$/, 'home', 'touchpoint'],
];

// Values that a page takes over from the query of its address, and what the page calls them.
const CARRIED = { plate: 'plate', m: 'link' };

/** Decode one step of percent encoding; text that is not encoded well stays as it is. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** Return the values of "a=1&b=2", decoded once. */
function readQuery(text) {
  const values = {};
  for (const part of (text || '').split('&')) {
    const at = part.indexOf('=');
    if (at > 0) values[decode(part.slice(0, at))] = decode(part.slice(at + 1).replace(/\+/g, ' '));
  }
  return values;
}

/** Return {base, page, params, c} of an address below /phone/, null for any other. */
function routeOfUrl(url) {
  const found = /^(https?:\/\/[^?#\s]*?)\/phone\/([^?#]*)(?:\?([^#]*))?/i.exec((url || '').trim());
  if (!found) return null;
  const route = routeOfPath(found[2], found[3]);
  return route && { ...route, base: found[1] };
}

/** Return the same for a path of the box (/phone/... with a query), as a touchpoint leads to. */
function routeOfTarget(target) {
  const found = /^\/phone\/([^?#]*)(?:\?([^#]*))?/.exec(target || '');
  const route = found && routeOfPath(found[1], found[2]);
  return route && { ...route, base: '' };
}

function routeOfPath(path, query) {
  const values = readQuery(query);
  for (const [pattern, page, name] of PATHS) {
    const found = pattern.exec(path.replace(/\/+$/, ''));
    if (!found) continue;
    const params = name ? { [name]: decode(found[1]) } : {};
    for (const one of Object.keys(CARRIED)) if (values[one]) params[CARRIED[one]] = values[one];
    return { page, params, c: wayOf(values.c) };
  }
  return null;
}

/** Return the same for the scene of a mini-program code: a signed code of 32 characters, else a touchpoint. */
function routeOfScene(scene) {
  if (/^t[A-Za-z0-9_-]{31}$/.test(scene)) return { base: '', page: 'ticket', params: { ticket: scene }, c: '' };
  if (/^k[A-Za-z0-9_-]{31}$/.test(scene)) return { base: '', page: 'kiosk', params: { code: scene }, c: '' };
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(scene)) return null;
  return { base: '', page: 'home', params: { touchpoint: scene }, c: '' };
}

/**
 * Return what a page was opened with: {base, page, params, c, scannedAt}, page "" when the values are the page's own.
 * query: as onLoad gets it, its values encoded. A `q` or `scene` of nobody's gives `unknown` with its text.
 * `override` is the box that `base` names, beside whatever else there is.
 */
function routeOfLaunch(query) {
  const given = {};
  for (const name of Object.keys(query || {})) given[name] = decode(String(query[name]));
  return given.base ? { ...routeOfGiven(given), override: given.base } : routeOfGiven(given);
}

function routeOfGiven(given) {
  if (given.q) {
    const route = routeOfUrl(given.q);
    if (!route) return { base: '', page: '', params: {}, c: '', unknown: given.q };
    return { ...route, scannedAt: Number(given.scancode_time) * 1000 || 0 };
  }
  if (given.scene) {
    const route = routeOfScene(given.scene);
    return route || { base: '', page: '', params: {}, c: '', unknown: given.scene };
  }
  const { c, ...params } = given;
  delete params.base;
  return { base: '', page: '', params, c: wayOf(c) };
}

/** Return the path of a page for wx.navigateTo. */
function pathOf(page, params, c) {
  const values = { ...params, ...(c ? { c } : {}) };
  const query = Object.keys(values).filter((name) => values[name] !== '' && values[name] !== undefined);
  const text = query.map((name) => `${name}=${encodeURIComponent(values[name])}`).join('&');
  return `/pages/${page}/${page}${text ? `?${text}` : ''}`;
}

function wayOf(text) {
  return CORRELATION.test(text || '') ? text : '';
}

module.exports = { decode, readQuery, routeOfUrl, routeOfTarget, routeOfScene, routeOfLaunch, pathOf };
