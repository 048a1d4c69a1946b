// Money that went back, as pages of a paid order show it.
const { yuan } = require('../money');
const { fill } = require('../texts/index');

/** Return what a page says of an order's refunds: {refunded, rest, back}; back says that nothing of it is left. */
function backView({ total_fen: total, refunded_fen: refunded = 0 }, t) {
  const rest = total - refunded;
  return {
    refunded: refunded ? fill(t.refunded, { amount: yuan(refunded) }) : '',
    rest: refunded && rest > 0 ? fill(t.rest, { amount: yuan(rest) }) : '',
    back: refunded > 0 && rest <= 0,
  };
}

module.exports = { backView };
