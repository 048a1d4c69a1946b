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

    /** Show what the box has, with the quantities that were tapped and are still on their way to it. */
    showCart(answer) {
      const cart = cartView(answer, this.data.t);
      const wishes = this.wishes || {};
      const lines = cart.lines.map((line) => (line.lineId in wishes ? { ...line, quantity: wishes[line.lineId] } : line));
      this.setData({ cart: { ...cart, lines } });
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

    /** Quick taps are one wish: what is shown changes at once, and the box is told the last of them. */
    onChange({ detail }) {
      const { lineId, quantity } = detail;
      this.wishes = { ...this.wishes, [lineId]: quantity };
      const { cart } = this.data;
      const lines = cart.lines.map((line) => (line.lineId === lineId ? { ...line, quantity } : line));
      this.setData({ cart: { ...cart, lines } });
      if (!this.telling) {
        this.telling = this.tellWishes().finally(() => {
          this.telling = null;
        });
      }
      return this.telling;
    },

    async tellWishes() {
      try {
        for (let [lineId] = Object.keys(this.wishes); lineId; [lineId] = Object.keys(this.wishes)) {
          const quantity = this.wishes[lineId];
          const answer = await this.api.post(`/cart/lines/${lineId}`, { quantity, key: newKey() });
          if (this.wishes[lineId] === quantity) delete this.wishes[lineId];
          this.showCart(answer);
        }
      } catch (error) {
        this.wishes = {};
        this.tell(this.said(error));
        await this.reload();
      }
    },

    onBack() {
      return this.act(async () => {
        this.showCart(await this.api.post('/cart/back'));
        this.setData({ pay: IDLE });
      });
    },

    onGive() {
      return this.act(async () => {
        const { qr, expires_at } = await this.api.post('/cart/give');
        this.setData({ give: { qr, hint: fill(this.data.t.giveHint, { time: hourMinute(expires_at) }) } });
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

    async begin() {
      // What is paid is what is shown.
      await this.telling;
      return this.api.post('/cart/pay');
    },

    /** From the first try on there is an order, and its goods stand still. */
    async tried() {
      try {
        this.showCart(await this.api.get('/cart'));
      } catch (error) {
        if (!error.word) throw error;
      }
    },

    paid(payment) {
      const { number, receipt, order_id: order, amount_fen } = payment;
      recent.note(order, { kind: 'shop', number, receipt, amount_fen, base: this.api.base });
      if (receipt) this.turnTo('paid', { receipt, order, exit: '1' });
      else this.turnTo('exit', { order });
    },
  }),
);
