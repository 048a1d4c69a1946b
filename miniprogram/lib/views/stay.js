// A stay in the car park as its page shows it.
const { yuan } = require('../money');
const { fill, fillIf } = require('../texts/index');
const { dayTime, hourMinute } = require('../times');

/** Return what the page shows of one of the box's stays. */
function stayView(stay, t) {
  const due = yuan(stay.due_fen);
  const free = stay.due_fen <= 0;
  return {
    id: stay.stay_id,
    plate: stay.plate || '—',
    zone: stay.zone || '',
    entered: fill(t.entered, { time: dayTime(stay.entered_at) }),
    total: yuan(stay.total_fen),
    paid: stay.paid_fen ? yuan(stay.paid_fen) : '',
    due,
    payable: !free,
    free: free ? t.free : '',
    leaveBy: fillIf(t.leaveBy, { time: hourMinute(free && stay.allowed_exit_at) }),
    raise: fillIf(t.raise, { time: hourMinute(!free && stay.next_raise_at) }),
    segments: stay.segments || [],
    used: stay.used || [],
    points: free ? '' : fillIf(t.pointsSpend, { points: stay.points_price }),
    payLabel: fill(t.pay, { amount: due }),
    againLabel: fill(t.payAgain, { amount: due }),
  };
}

module.exports = { stayView };
