// Instants are milliseconds since 1970; shown in the phone's own zone.

function two(number) {
  return String(number).padStart(2, '0');
}

/** Return "09:05", or "" for no instant. */
function hourMinute(at) {
  if (!at) return '';
  const day = new Date(at);
  return `${two(day.getHours())}:${two(day.getMinutes())}`;
}

/** Return "2026-11-22", or "" for no instant. */
function date(at) {
  if (!at) return '';
  const day = new Date(at);
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Return "11-22 09:05", or "" for no instant. */
function dayTime(at) {
  return at ? `${date(at).slice(5)} ${hourMinute(at)}` : '';
}

module.exports = { hourMinute, date, dayTime };
