// A kiosk's basket as the phone shows it.
const { yuan } = require('../money');
const { fill } = require('../texts/index');
const { goodsView } = require('./goods');

const OPEN = ['basket', 'checkout', 'paying'];

/** Return what the page shows of the box's answer to GET /k/{hand_over}. */
function kioskView(answer, t) {
  const amount = yuan(answer.total_fen);
  const lines = goodsView(answer.lines || [], t);
  const open = OPEN.includes(answer.state);
  return {
    lead: fill(t.lead, { workstation: answer.workstation }),
    lines,
    amount,
    payLabel: fill(t.pay, { amount }),
    againLabel: fill(t.payAgain, { amount }),
    open,
    empty: open && lines.length === 0,
    payable: open && lines.length > 0,
    takeable: answer.state === 'basket' && lines.length > 0,
    busy: answer.state === 'paying' ? t.statePaying : '',
    wrong: answer.state === 'gone' && !answer.on_phone ? t.stateGone : '',
    fine: finished(answer, t),
    onPhone: answer.on_phone === true,
  };
}

function finished({ state, on_phone, elsewhere }, t) {
  if (on_phone) return t.onPhone;
  if (state !== 'paid') return '';
  return elsewhere ? t.paidElsewhere : t.statePaid;
}

module.exports = { kioskView };
