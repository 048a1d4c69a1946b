// WeChat's scanner.

/** Return what the camera read; "" when the shopper went back without scanning. kinds: barCode, qrCode. */
function scan(kinds) {
  return new Promise((resolve, reject) => {
    wx.scanCode({
      scanType: kinds,
      success: ({ result }) => resolve((result || '').trim()),
      fail: ({ errMsg } = {}) => (/cancel/i.test(errMsg || '') ? resolve('') : reject(new Error(errMsg))),
    });
  });
}

module.exports = { scan };
