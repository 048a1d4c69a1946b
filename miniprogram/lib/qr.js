// QR codes as pictures that <image> shows: a GIF in a data URL.
const qrcode = require('../miniprogram_npm/qrcode-generator/index');

const CELL = 8;
const MARGIN = 4 * CELL;

/** Return a text of ASCII as a QR code with its quiet zone, error correction M; "" for no text. */
function pictureOf(text) {
  if (!text) return '';
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  return code.createDataURL(CELL, MARGIN);
}

module.exports = { pictureOf };
