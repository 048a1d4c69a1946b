// Every sentence in both languages; a page sees what all share and its own.
const zh = require('./zh');
const en = require('./en');

const ALL = { zh, en };

/** Return the texts of a page by name. */
function textsOf(language, page) {
  const texts = ALL[language] || zh;
  return { ...texts.shared, ...texts[page] };
}

/** Put values into a text: fill("共 {count} 件", {count: 3}). */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

module.exports = { ALL, textsOf, fill };
