// Keys by which the box knows a call that is sent again. They need to differ, not to be secret.

let made = 0;

/** Return a new key of 8 to 40 of A-Z, a-z, 0-9, _ and -: one for each tap. */
function newKey() {
  made += 1;
  const random = Math.random().toString(36).slice(2, 12);
  return `m-${Date.now().toString(36)}-${made.toString(36)}-${random}`;
}

module.exports = { newKey };
