// What a page does to be paid: one button, WeChat's sheet, and the truth from the box. Mixed into a page's options.
//
// data.pay is what the component `pay-box` shows: {phase, problem, qr}. Phases: idle, sheet, checking, left,
// failed, unsure, closed, native.
const { pay, ask, giveUp } = require('./pay');

const IDLE = { phase: 'idle', problem: '', qr: '' };
const BUSY = ['sheet', 'checking'];
const OVER = ['closed', 'given up'];

/** What a page adds: begin() resolves with a payment; paid(payment) leads on; tried() may look again when it is not paid. */
const paying = {
  /** Begin, or go on with, the payment. */
  onPay() {
    return this.carry((onState) => {
      onState('checking');
      const begin = async () => {
        await this.api.signIn();
        return this.begin();
      };
      return pay(this.api, begin, onState);
    });
  },
  /** Ask once more about a payment of which nobody knew. */
  onAsk() {
    return this.carry((onState) => ask(this.api, this.orderId, onState));
  },
  onGiveUp() {
    return this.carry(async (onState) => {
      onState('checking');
      const outcome = await giveUp(this.api, this.orderId);
      return outcome.state === 'closed' ? { ...outcome, state: 'given up' } : outcome;
    });
  },
  /** A page that opens on a payment of its own that is not settled says so, and asks. */
  async resume(orderId) {
    if (!orderId || BUSY.includes(this.data.pay.phase)) return;
    const found = await this.api.get(`/orders/${orderId}`).catch((error) => {
      // Somebody else's payment: the page's own words tell of it.
      if (error.word === 'not_yours' || error.word === 'not_found') return null;
      throw error;
    });
    if (!found) return;
    if (found.state === 'unsure') {
      this.orderId = orderId;
      this.onAsk();
    } else {
      this.show({ state: found.state, payment: found });
    }
  },
  async carry(work) {
    if (BUSY.includes(this.data.pay.phase)) return;
    try {
      const outcome = await work((phase) => this.setData({ pay: { ...IDLE, phase } }));
      this.show(outcome);
    } catch (error) {
      if (!error.word) console.error(error);
      const problem = error.word ? this.said(error) : this.data.t.wrong;
      // Without an answer nobody knows whether there is a payment by now: the page asks before it says anything.
      this.setData({ pay: { ...IDLE, phase: error.word === 'offline' && this.orderId ? 'unsure' : 'idle', problem } });
      if (error.word === 'declined') await this.reload();
    }
  },
  show({ state, payment, said }) {
    // What is over is not asked about again: the next tap begins another payment.
    this.orderId = OVER.includes(state) ? '' : payment.order_id || this.orderId;
    this.setData({ pay: { ...IDLE, ...shownOf(state, payment, said, this.data.t) } });
    if (state === 'paid') this.paid(payment);
    else if (state === 'given up') this.reload();
    else if (this.tried) this.tried();
  },
};

/** Return how a payment that stands like this is shown. */
function shownOf(state, payment, said, t) {
  const problem = payment.problem || '';
  if (state === 'open' && said === 'failed') return { phase: 'failed', problem: problem || t.failed };
  const shown = {
    open: { phase: 'left', problem: t.left },
    unsure: { phase: 'unsure', problem: t.unsure },
    closed: { phase: 'closed', problem: problem || t.closed },
    native: { phase: 'native', problem: t.native, qr: payment.qr || '' },
  };
  return shown[state] || IDLE;
}

module.exports = { paying, IDLE };
