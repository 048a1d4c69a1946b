// An exit code as its page shows it.
const { yuan } = require('../money');
const { fill } = require('../texts/index');
const { backView } = require('./back');

/** Return what the page shows of the box's answer to GET /exit/{order_id}. */
function exitView(answer, t) {
  return {
    code: answer.code || '',
    qr: answer.qr || '',
    state: answer.state,
    words: wordsOf(answer, t),
    groups: groupsOf(answer.code || ''),
    ...backView(answer, t),
    good: answer.state === 'unused' && Boolean(answer.code),
    number: fill(t.order, { number: answer.number }),
    count: fill(t.count, { count: answer.count }),
    amount: yuan(answer.total_fen),
    open: answer.state !== 'passed' && answer.verdict !== 'refunded',
  };
}

/** Return a code as a guard types it: in fours. */
function groupsOf(code) {
  return code.match(/.{1,4}/g) || [];
}

function wordsOf({ state, verdict, code }, t) {
  if (state === 'passed') return t.statePassed;
  if (state === 'recheck') return t.stateRecheck;
  const refused = { unpaid: t.stateUnpaid, refunded: t.stateRefunded, expired: t.stateExpired };
  return refused[verdict] || (code ? t.stateUnused : t.stateUnpaid);
}

module.exports = { exitView };
