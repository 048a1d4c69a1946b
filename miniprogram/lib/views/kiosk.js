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
    wrong: answer.state === 'gone' ? t.stateGone : '',
    fine: answer.state === 'paid' ? t.statePaid : '',
  };
}

module.exports = { kioskView };
