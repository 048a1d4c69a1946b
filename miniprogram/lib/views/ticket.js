// A counter's ticket as its page shows it.
const { yuan } = require('../money');
const { fill, fillIf } = require('../texts/index');
const { hourMinute } = require('../times');
const { goodsView } = require('./goods');


/** Return what the page shows of the box's answer to GET /t/{ticket}. */
function ticketView(answer, t) {
  const amount = yuan(answer.total_fen);
  return {
    number: fill(t.number, { number: answer.number }),
    tenant: (answer.tenant && answer.tenant.name) || '',
    // A number that begins with its counter says it already.
    counter: String(answer.number).startsWith(answer.counter) ? '' : answer.counter || '',
    guide: fillIf(t.guide, { guide: answer.guide }),
    lines: goodsView(answer.lines, t),
    offers: answer.offers || [],
    amount,
    payLabel: fill(t.pay, { amount }),
    againLabel: fill(t.payAgain, { amount }),
    ...whose(answer),
    until: fillIf(t.until, { time: answer.state === 'issued' && hourMinute(answer.expires_at) }),
    release: answer.state === 'paid' && answer.release_code ? String(answer.release_code) : '',
    busy: answer.state === 'paying' ? t.statePaying : '',
    ...words(answer, t),
  };
}

/** Whoever pays it may go on; others wait until it is paid or free again. */
function whose({ state, order_id }) {
  const paying = state === 'paying';
  return { payable: state === 'issued' || (paying && Boolean(order_id)), waits: paying && !order_id };
}

function words({ state, release_code }, t) {
  const fine = { paid: release_code ? t.statePaid : t.paidElsewhere, handed_over: t.stateHandedOver };
  const wrong = { cancelled: t.stateCancelled, expired: t.stateExpired };
  return { fine: fine[state] || '', wrong: wrong[state] || '' };
}

module.exports = { ticketView };
