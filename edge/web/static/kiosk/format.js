// Figures as people read them. Money comes as integer fen and is never a float.

/** Fen as yuan with the sign: 123456 -> "¥1,234.56". */
export function yuan(fen) {
  const sign = fen < 0 ? "-" : "";
  const whole = Math.trunc(Math.abs(fen) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}¥${whole}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
}

/** Grams as kilograms: 532 -> "0.532 kg". */
export function kilograms(grams) {
  return `${Math.trunc(grams / 1000)}.${String(grams % 1000).padStart(3, "0")} kg`;
}

/** Fen of what was typed as yuan, e.g. "12.5" -> 1250; null for anything else. */
export function parseYuan(text) {
  const match = /^(\d{1,7})(?:\.(\d{0,2}))?$/.exec(text);
  return match ? Number(match[1]) * 100 + Number((match[2] || "").padEnd(2, "0")) : null;
}

/** What a customer is likely to hand over for `due` fen: exact first, then round notes, at most five. */
export function likelyNotes(due) {
  const amounts = [due];
  for (const note of [1000, 2000, 5000, 10000, 20000]) {
    const up = Math.ceil(due / note) * note;
    if (!amounts.includes(up)) amounts.push(up);
  }
  return amounts.slice(0, 5).sort((a, b) => a - b);
}
