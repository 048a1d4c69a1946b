// Which box is asked: the one that a developer named, what a code said, else config.js.
const config = require('../config');

let chosen = '';
let named = '';

/** Return the address of the box to ask, without a slash at its end. */
function current() {
  return chosen || config.base;
}

/**
 * Ask the box at this address from now on, if it is one of ours; return whether it is.
 * The box that a developer named stands for all of the host of config.js.
 */
function choose(base) {
  if (!isOurs(base)) return false;
  if (!named || origin(base) === origin(named)) chosen = base;
  return true;
}

/** Take the address that a launch query names (`base`), outside of releases only. */
function override(base) {
  if (!base || isRelease()) return false;
  named = base.replace(/\/+$/, '');
  chosen = named;
  return true;
}

/** Return whether a box's address lies on the host of config.js, or of the box that a developer named. */
function isOurs(base) {
  return [config.base, current()].some((one) => origin(one) !== '' && origin(one) === origin(base));
}

/** Return scheme, host and port of an address, "" without. */
function origin(url) {
  const found = /^(https?:\/\/[^/?#@\\\s]+)(?:[/?#]|$)/i.exec(url || '');
  return found ? found[1].toLowerCase() : '';
}

function isRelease() {
  // What cannot be told is treated as a release.
  if (typeof wx.getAccountInfoSync !== 'function') return true;
  const info = wx.getAccountInfoSync();
  return !info || !info.miniProgram || info.miniProgram.envVersion === 'release';
}

/** Forget what codes and developers said: as after a cold start. */
function forget() {
  named = '';
  chosen = '';
}

module.exports = { current, choose, override, isOurs, origin, forget };
