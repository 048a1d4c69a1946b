// Instants are milliseconds since 1970; shown in the mall's zone, as the box's own texts are.

const FURTHEST = 18 * 60;

let offset = null;

/** Take what a box said of its mall's clocks: minutes ahead of UTC, as text. What is no such number is passed over. */
function heed(minutes) {
  if (/^-?\d{1,4}$/.test(minutes || '') && Math.abs(minutes) <= FURTHEST) offset = Number(minutes);
}

/** Forget it, as after a cold start: until a box has answered, instants are in the phone's own zone. */
function forget() {
  offset = null;
}

/** Return a Date whose UTC fields are what the mall's clocks show at an instant. */
function clocks(at) {
  const ahead = offset === null ? -new Date(at).getTimezoneOffset() : offset;
  return new Date(at + ahead * 60000);
}

/** Return "09:05", or "" for no instant. */
function hourMinute(at) {
  return at ? clocks(at).toISOString().slice(11, 16) : '';
}

/** Return "2026-11-22", or "" for no instant. */
function date(at) {
  return at ? clocks(at).toISOString().slice(0, 10) : '';
}

/** Return "11-22 09:05", or "" for no instant. */
function dayTime(at) {
  return at ? `${date(at).slice(5)} ${hourMinute(at)}` : '';
}

module.exports = { heed, forget, hourMinute, date, dayTime };
