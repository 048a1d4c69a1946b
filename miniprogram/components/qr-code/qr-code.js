// A text as a QR code, drawn on the phone: it is there without a network, and no server learns of it.
const { pictureOf } = require('../../lib/qr');

Component({
  options: { addGlobalClass: true },
  properties: {
    text: { type: String, value: '' },
    label: { type: String, value: '' },
  },
  data: { picture: '' },
  observers: {
    text(text) {
      this.setData({ picture: pictureOf(text) });
    },
  },
});
