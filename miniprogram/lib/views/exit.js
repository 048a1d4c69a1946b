// An exit code as its page shows it.
const { yuan } = require('../money');
const { fill } = require('../texts/index');

/** Return what the page shows of the box's answer to GET /exit/{order_id}. */
function exitView(answer, t) {
  const words = { unused: t.stateUnused, passed: t.statePassed, recheck: t.stateRecheck };
  return {
    code: answer.state === 'passed' ? '' : answer.code,
    state: answer.state,
    words: words[answer.state] || '',
    number: fill(t.order, { number: answer.number }),
    count: fill(t.count, { count: answer.count }),
    amount: yuan(answer.total_fen),
    open: answer.state !== 'passed',
  };
}

module.exports = { exitView };
