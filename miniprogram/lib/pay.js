// Paying one order: begin, WeChat's own sheet, and then asking the box until it knows.
//
// What the sheet says is never believed: "success" only means that it is time to ask, and "cancel" may follow a
// payment that went through. An outcome is {state, payment}, state one of
//   paid       the box has the money; payment.receipt opens the page after payment
//   open       not paid, and can still be paid (the shopper left the sheet)
//   unsure     the box is still asking; ask again later
//   closed     nobody can pay this any more; begin again
//   native     only another phone can pay: payment.qr is the QR code of payment.code_url
const timing = require('./timing');
const { ApiError, wait } = require('./wire');

/** Begin a payment and carry it through. begin: () => payment; onState(word): "sheet" or "checking". */
async function pay(api, begin, onState) {
  const payment = await begin();
  const settled = outcomeOf(payment);
  if (settled.state === 'unsure') return ask(api, payment.order_id, onState);
  if (settled.state !== 'open') return settled;
  if (payment.way !== 'jsapi' || !payment.pay) return { state: 'native', payment };
  onState('sheet');
  const said = await sheet(payment.pay);
  onState('checking');
  // Whoever left the sheet waits for one answer only; whoever paid waits until the money is there.
  const found = await ask(api, payment.order_id, onState, said === 'done' ? timing.ask.length : 1);
  if (found.state === 'open' && said === 'done') return { ...found, state: 'unsure' };
  return { ...found, said };
}

/** Ask until the payment is paid or closed, `times` at most: unsure when the box does not know by then. */
async function ask(api, orderId, onState, times = timing.ask.length) {
  onState('checking');
  let last = { state: 'unsure', payment: { order_id: orderId } };
  for (let asked = 0; asked < times; asked += 1) {
    await wait(timing.ask[Math.min(asked, timing.ask.length - 1)]);
    last = await askOnce(api, orderId, last);
    if (last.state === 'paid' || last.state === 'closed') return last;
  }
  return last;
}

async function askOnce(api, orderId, last) {
  try {
    return outcomeOf(await api.get(`/orders/${orderId}`));
  } catch (error) {
    // No answer says nothing about the money.
    if (error instanceof ApiError && error.passes) return { ...last, state: 'unsure' };
    throw error;
  }
}

/** Give an open payment up; the outcome is paid if it was paid meanwhile. */
async function giveUp(api, orderId) {
  return outcomeOf(await api.post(`/orders/${orderId}/cancel`));
}

function outcomeOf(payment) {
  return { state: payment.state, payment };
}

/** Show WeChat's sheet; resolve with "done", "cancelled" or "failed", none of which is a proof. */
function sheet(values) {
  return new Promise((resolve) => {
    wx.requestPayment({
      timeStamp: values.timeStamp,
      nonceStr: values.nonceStr,
      package: values.package,
      signType: values.signType,
      paySign: values.paySign,
      success: () => resolve('done'),
      fail: ({ errMsg } = {}) => resolve(/cancel/i.test(errMsg || '') ? 'cancelled' : 'failed'),
    });
  });
}

module.exports = { pay, ask, giveUp };
