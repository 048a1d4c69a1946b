// What stands on a kiosk's screen: take it along on the phone, or pay it from here. Whoever pays first wins.
const { paying, IDLE } = require('../../lib/paying');
const recent = require('../../lib/recent');
const { screen } = require('../../lib/screen');
const { kioskView } = require('../../lib/views/kiosk');

Page(
  screen({
    ...paying,
    name: 'kiosk',
    data: { kiosk: null, pay: IDLE },

    async load() {
      const answer = await this.look();
      if (answer.state === 'paying') await this.resume(answer.order_id);
      if (this.data.kiosk.open) this.watch(() => this.lookAgain());
    },

    async look() {
      const answer = await this.api.get(`/k/${this.params.code}`);
      this.setData({ kiosk: kioskView(answer, this.data.t) });
      return answer;
    },

    /** Others scan, take things out or pay at the kiosk meanwhile. */
    async lookAgain() {
      await this.look();
      return this.data.kiosk.open;
    },

    onTake() {
      return this.act(async () => {
        await this.api.post(`/k/${this.params.code}/take`);
        this.turnTo('shop', {});
      });
    },

    begin() {
      return this.api.post(`/k/${this.params.code}/pay`);
    },

    paid(payment) {
      this.unwatch();
      const { number, receipt, order_id: order, amount_fen } = payment;
      recent.note(order, { kind: 'kiosk', number, receipt, amount_fen, base: this.api.base });
      if (receipt) this.turnTo('paid', { receipt, order });
      else this.refresh();
    },

    onShop() {
      this.turnTo('shop', {});
    },
  }),
);
