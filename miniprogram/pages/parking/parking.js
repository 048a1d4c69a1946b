// Finding a stay, seeing what it costs and why, and paying it: by plate, ticket, exit lane, or the member's own cars.
const address = require('../../lib/address');
const { newKey } = require('../../lib/keys');
const { paying, IDLE } = require('../../lib/paying');
const recent = require('../../lib/recent');
const { routeOfUrl } = require('../../lib/routes');
const { scan } = require('../../lib/scan');
const { screen } = require('../../lib/screen');
const { stayView } = require('../../lib/views/stay');

const WAYS = ['plate', 'ticket', 'lane'];

Page(
  screen({
    ...paying,
    name: 'parking',
    data: { stays: [], chosen: '', none: '', typed: '', by: 'mine', pay: IDLE },

    async load(newest) {
      const by = WAYS.find((one) => this.params[one]) || 'mine';
      const word = by === 'mine' ? '' : this.params[by];
      this.setData({ by, typed: by === 'plate' ? word : this.data.typed });
      const answer = await this.find(by, word);
      if (!newest()) return;
      const stays = answer.stays.map((stay) => stayView(stay, this.data.t));
      this.asked = { by, word };
      this.setData({ stays, none: stays.length ? '' : this.noneWords(by) });
      this.choose(stays.find((one) => one.payable));
      const waiting = answer.stays.find((one) => one.order_id);
      if (waiting) await this.resume(waiting.order_id);
      if (newest() && by === 'lane' && !stays.length) this.watch(() => this.lookForCar());
    },

    async find(by, word) {
      if (by !== 'mine') return this.api.get('/parking', { [by]: word });
      // Nobody's own cars are known yet: the page asks for a plate.
      const who = await this.api.session();
      return who.signedIn ? this.api.get('/parking', { mine: 1 }) : { stays: [] };
    },

    async lookForCar() {
      await this.load();
      return false;
    },

    noneWords(by) {
      const { t } = this.data;
      return { plate: t.none, ticket: t.noneTicket, lane: t.noneLane, mine: '' }[by];
    },

    choose(stay) {
      this.setData({ chosen: stay ? stay.id : '', due: stay ? stay.due : '', payLabel: stay ? stay.payLabel : '', againLabel: stay ? stay.againLabel : '' });
    },

    onChoose({ currentTarget }) {
      if (this.data.pay.phase !== 'idle') return;
      const stay = this.data.stays.find((one) => one.id === currentTarget.dataset.id);
      if (stay && stay.payable) this.choose(stay);
    },

    onType({ detail }) {
      this.setData({ typed: detail.value.toUpperCase() });
    },

    onFind() {
      const plate = this.data.typed.trim();
      if (!plate) return undefined;
      this.unwatch();
      this.params = { plate };
      this.setData({ pay: IDLE });
      return this.refresh();
    },

    onScan() {
      return this.act(async () => {
        const route = routeOfUrl(await scan(['qrCode']));
        if (!route || route.page !== 'parking' || !address.choose(route.base)) return;
        this.turnTo('parking', route.params);
      });
    },

    /** Points pay for some of it; the box says what is left. */
    onPoints({ currentTarget }) {
      return this.act(async () => {
        const body = { ...this.asked, key: newKey() };
        await this.api.post(`/parking/${currentTarget.dataset.id}/points`, body);
        await this.load();
      });
    },

    begin() {
      return this.api.post(`/parking/${this.data.chosen}/pay`, this.asked);
    },

    paid(payment) {
      const { number, receipt, order_id: order, amount_fen } = payment;
      recent.note(order, { kind: 'parking', number, receipt, amount_fen, base: this.api.base });
      if (receipt) this.turnTo('paid', { receipt, order });
      else this.refresh();
    },
  }),
);
