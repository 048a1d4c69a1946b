// Every sentence in both languages; a page sees what all share and its own.
const zh = require('./zh');
const en = require('./en');

const ALL = { zh, en };

// Pages that also speak another's words: joining is offered on the page after payment too.
const ALSO = { paid: 'me' };

/** Return the texts of a page by name. */
function textsOf(language, page) {
  const texts = ALL[language] || zh;
  return { ...texts.shared, ...texts[ALSO[page]], ...texts[page] };
}

/** Put values into a text: fill("共 {count} 件", {count: 3}). */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Put values into a text; without one of them there is no text. */
function fillIf(text, values) {
  return Object.values(values).every(Boolean) ? fill(text, values) : '';
}

module.exports = { ALL, ALSO, textsOf, fill, fillIf };
