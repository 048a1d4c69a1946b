// A cart as its page shows it.
const { yuan } = require('../money');
const { fill, fillIf } = require('../texts/index');
const { goodsView } = require('./goods');

/** Return what the page shows of the box's cart. */
function cartView(answer, t) {
  const amount = yuan(answer.total_fen);
  return {
    lines: goodsView(answer.lines, t),
    empty: answer.lines.length === 0,
    count: fill(t.count, { count: answer.count }),
    amount,
    payLabel: fill(t.pay, { amount }),
    againLabel: fill(t.payAgain, { amount }),
    notice: answer.notice ? answer.notice.text : '',
    age: fillIf(t.age, { age: answer.age_needed }),
    // While an order of this cart waits for its money, the goods in it stand still.
    open: Boolean(answer.order_id),
  };
}

module.exports = { cartView };
