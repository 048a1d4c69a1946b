// Amounts are whole fen; only here do they become text.

/** Return fen as yuan with two digits: 12800 is "¥128.00", -5 is "-¥0.05". */
function yuan(fen) {
  const whole = Math.abs(Math.trunc(fen || 0));
  const cents = String(whole % 100).padStart(2, '0');
  return `${fen < 0 ? '-' : ''}¥${Math.floor(whole / 100)}.${cents}`;
}

module.exports = { yuan };
