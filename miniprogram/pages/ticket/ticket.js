// A counter's ticket: what was sold, paying it, and the code for which the guide hands it over.
const { paying, IDLE } = require('../../lib/paying');
const recent = require('../../lib/recent');
const { screen } = require('../../lib/screen');
const { ticketView } = require('../../lib/views/ticket');

Page(
  screen({
    ...paying,
    name: 'ticket',
    data: { ticket: null, pay: IDLE },

    async load() {
      const answer = await this.ask();
      if (answer.state === 'paying' && answer.order_id) await this.resume(answer.order_id);
      if (answer.state === 'paid' && answer.release_code) this.watch(() => this.lookForHandOver());
      else if (this.data.ticket.waits) this.watch(() => this.lookForOthers());
    },

    async ask() {
      const answer = await this.api.get(`/t/${this.params.ticket}`);
      this.setData({ ticket: ticketView(answer, this.data.t) });
      return answer;
    },

    async lookForHandOver() {
      return (await this.ask()).state === 'paid';
    },

    /** Somebody else pays it: look until they have, or have given up. */
    async lookForOthers() {
      await this.ask();
      if (!this.data.ticket.waits) this.setData({ pay: IDLE });
      return this.data.ticket.waits;
    },

    begin() {
      return this.api.post(`/t/${this.params.ticket}/pay`);
    },

    paid(payment) {
      const { ticket } = this.params;
      const { number, receipt, order_id: order, amount_fen } = payment;
      recent.note(order, { kind: 'ticket', ticket, number, receipt, amount_fen, base: this.api.base });
      if (receipt) this.turnTo('paid', { receipt, order, ticket });
      else this.refresh();
    },
  }),
);
