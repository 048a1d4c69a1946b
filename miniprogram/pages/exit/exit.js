// The exit code of a paid order of scan and go. It is kept on the phone, as exits are often without a network.
const recent = require('../../lib/recent');
const { screen } = require('../../lib/screen');
const { exitView } = require('../../lib/views/exit');

Page(
  screen({
    name: 'exit',
    data: { exit: null, kept: false },

    async load() {
      const { order } = this.params;
      const known = recent.find(order);
      try {
        await this.ask(order);
      } catch (error) {
        if (error.word !== 'offline' || !known || !known.exit) throw error;
        this.setData({ exit: exitView(known.exit, this.data.t), kept: true });
      }
      this.setData({ receipt: (known && known.receipt) || '' });
      if (this.data.exit.open) this.watch(() => this.look(order));
    },

    async ask(order) {
      const answer = await this.api.get(`/exit/${order}`);
      recent.note(order, { kind: 'shop', number: answer.number, amount_fen: answer.total_fen, refunded_fen: answer.refunded_fen || 0, base: this.api.base, exit: answer });
      this.setData({ exit: exitView(answer, this.data.t), kept: false });
    },

    async look(order) {
      await this.ask(order);
      return this.data.exit.open;
    },

    onReceipt() {
      this.go('paid', { receipt: this.data.receipt, order: this.params.order, exit: '1' });
    },
  }),
);
