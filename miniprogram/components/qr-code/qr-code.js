// The QR code of what a shopper shows: the picture comes from the box, beside the code.
Component({
  options: { addGlobalClass: true },
  properties: {
    // A PNG in a data URL; "" shows nothing.
    picture: { type: String, value: '' },
    label: { type: String, value: '' },
  },
});
