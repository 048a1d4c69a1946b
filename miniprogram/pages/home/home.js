// Where the mini-program begins, and where an ordinary QR code's address arrives (`q`): it leads on to its page.
const address = require('../../lib/address');
const language = require('../../lib/language');
const recent = require('../../lib/recent');
const { routeOfUrl, routeOfTarget, pathOf } = require('../../lib/routes');
const { screen } = require('../../lib/screen');
const { scan } = require('../../lib/scan');
const { yuan } = require('../../lib/money');

Page(
  screen({
    name: 'home',
    data: { recent: [], unknown: false, elsewhere: '' },

    async load() {
      const { touchpoint } = this.params;
      this.showRecent();
      this.lookForRefunds();
      if (touchpoint) await this.touch(touchpoint);
    },

    showRecent() {
      const { t } = this.data;
      const shown = recent.list().map((one) => ({
        order: one.order,
        number: one.number,
        amount: yuan(one.amount_fen),
        words: one.kind === 'shop' && !isBack(one) ? t.exitCode : t.receipt,
        refunded: one.refunded_fen ? `${t.refunded} ${yuan(one.refunded_fen)}` : '',
      }));
      this.setData({ recent: shown });
    },

    /** Money may have gone back since a purchase was kept; without an answer it stays as it is kept. */
    async lookForRefunds() {
      const ours = recent.list().filter((one) => one.receipt && one.base === this.api.base);
      const asked = ours.map((one) =>
        this.api.get(`/landing/${one.receipt}`).then(
          ({ refunded_fen: refunded }) => recent.amend(one.order, { refunded_fen: refunded || 0 }),
          () => {},
        ),
      );
      await Promise.all(asked);
      this.showRecent();
    },

    /** A touchpoint's code was scanned: the box notes it and says where it leads. */
    async touch(touchpoint) {
      const { scene } = wx.getLaunchOptionsSync();
      const body = { touchpoint, ...(this.api.c ? { c: this.api.c } : {}), ...(scene ? { scene } : {}) };
      const answer = await this.api.post('/touch', body);
      this.api.c = answer.c || this.api.c;
      this.params = {};
      this.leadTo(answer.leads_to || '');
    },

    leadTo(target) {
      const route = routeOfTarget(target) || routeOfUrl(target);
      if (route && route.page !== 'home' && (!route.base || address.choose(route.base))) {
        wx.redirectTo({ url: pathOf(route.page, route.params, this.api.c) });
      } else if (/^https:\/\//.test(target)) {
        this.setData({ elsewhere: target });
      }
    },

    onScan() {
      return this.act(async () => {
        const text = await scan(['qrCode', 'barCode']);
        if (text === '') return;
        const route = routeOfUrl(text);
        if (!route || !address.choose(route.base)) {
          // A bare barcode is most likely something that a shopper wants to buy.
          if (/^\d{8,14}$/.test(text)) this.go('shop', { code: text });
          else this.setData({ unknown: true });
          return;
        }
        this.setData({ unknown: false });
        wx.navigateTo({ url: pathOf(route.page, route.params, route.c) });
      });
    },

    onShop() {
      this.go('shop', {});
    },
    onParking() {
      this.go('parking', {});
    },
    onMe() {
      this.go('me', {});
    },
    onRecent({ currentTarget }) {
      const one = recent.find(currentTarget.dataset.order);
      if (!one) return;
      address.choose(one.base);
      if (one.kind === 'shop') this.go('exit', { order: one.order });
      else if (one.receipt) this.go('paid', { receipt: one.receipt, order: one.order, ticket: one.ticket });
    },
    onCopy() {
      wx.setClipboardData({ data: this.data.elsewhere });
    },
    onLanguage() {
      const chosen = language.other(this.data.language);
      language.choose(chosen);
      this.speak(chosen);
      this.showRecent();
    },
    onShow() {
      if (this.data.status !== 'ready') return;
      this.showRecent();
      this.lookForRefunds();
    },
  }),
);

function isBack({ refunded_fen: refunded, amount_fen: amount }) {
  return refunded > 0 && refunded >= amount;
}
