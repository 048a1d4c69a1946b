// Scan and go: goods scanned with the phone, paid here, or handed over to a kiosk.
const { newKey } = require('../../lib/keys');
const { paying, IDLE } = require('../../lib/paying');
const recent = require('../../lib/recent');
const { routeOfUrl } = require('../../lib/routes');
const { scan } = require('../../lib/scan');
const { screen } = require('../../lib/screen');
const { fill } = require('../../lib/texts/index');
const { hourMinute } = require('../../lib/times');
const { cartView } = require('../../lib/views/cart');

Page(
  screen({
    ...paying,
    name: 'shop',
    data: { cart: null, pay: IDLE, typed: '', give: null },

    async load() {
      const answer = await this.api.get('/cart');
      this.showCart(answer);
      await this.resume(answer.order_id);
      const { code } = this.params;
      if (code) {
        this.params = {};
        await this.add(code);
      }
    },

    showCart(answer) {
      this.setData({ cart: cartView(answer, this.data.t) });
    },

    onScan() {
      return this.act(async () => {
        const code = await scan(['barCode', 'qrCode']);
        if (!code) return;
        const route = routeOfUrl(code);
        // A kiosk's or a counter's code read here by mistake still does what it is for.
        if (route && route.page !== 'shop' && route.page !== 'home') this.go(route.page, route.params);
        else await this.add(code);
      });
    },

    onType({ detail }) {
      this.setData({ typed: detail.value });
    },

    onAdd() {
      const code = this.data.typed.trim();
      if (!code) return undefined;
      return this.act(async () => {
        await this.add(code);
        this.setData({ typed: '' });
      });
    },

    async add(code) {
      this.showCart(await this.api.post('/cart/scan', { code, key: newKey() }));
    },

    onChange({ detail }) {
      return this.act(async () => {
        const { lineId, quantity } = detail;
        this.showCart(await this.api.post(`/cart/lines/${lineId}`, { quantity, key: newKey() }));
      });
    },

    onBack() {
      return this.act(async () => {
        this.showCart(await this.api.post('/cart/back'));
        this.setData({ pay: IDLE });
      });
    },

    onGive() {
      return this.act(async () => {
        const { code, expires_at } = await this.api.post('/cart/give');
        this.setData({ give: { code, hint: fill(this.data.t.giveHint, { time: hourMinute(expires_at) }) } });
        this.watch(() => this.lookForTaking());
      });
    },

    /** The kiosk has taken the basket over when nothing is left of it here. */
    async lookForTaking() {
      const answer = await this.api.get('/cart');
      this.showCart(answer);
      if (answer.count > 0) return true;
      this.setData({ give: null });
      return false;
    },

    onGiveBack() {
      this.unwatch();
      this.setData({ give: null });
    },

    begin() {
      return this.api.post('/cart/pay');
    },

    paid(payment) {
      const { number, receipt, order_id: order, amount_fen } = payment;
      recent.note(order, { kind: 'shop', number, receipt, amount_fen, base: this.api.base });
      if (receipt) this.turnTo('paid', { receipt, order, exit: '1' });
      else this.turnTo('exit', { order });
    },
  }),
);
