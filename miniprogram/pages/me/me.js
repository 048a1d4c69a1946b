// The member's own page: points, coupons, plates, consents, and everything of him exported or erased.
const { newKey } = require('../../lib/keys');
const { screen } = require('../../lib/screen');
const { pageView } = require('../../lib/views/landing');
const { meView, joinedWords, pointsView } = require('../../lib/views/me');

Page(
  screen({
    name: 'me',
    data: { me: null, page: null, link: '', shown: '', history: null, more: false, plate: '', plateAgreed: false },

    async load() {
      await this.api.signIn();
      this.setData({ link: this.params.link || '' });
      this.showMe(await this.api.get('/me'));
    },

    showMe(answer) {
      this.setData({ me: meView(answer, this.data.t) });
    },

    pageOf(joined) {
      const { language, t } = this.data;
      const { scene } = wx.getLaunchOptionsSync();
      const landing = joined && joined.landing;
      return landing ? pageView(landing, t, { base: this.api.base, language, scene }) : null;
    },

    onBlock({ detail }) {
      const block = this.data.page.blocks[detail.index];
      if (block.kind === 'coupon' && block.code) this.setData({ shown: this.data.shown === block.code ? '' : block.code });
      else if (block.kind === 'parking') this.onParking();
      else this.lead(block.url);
    },

    onUnticked() {
      this.tell(this.data.t.agreeFirst);
    },

    onJoin({ detail }) {
      return this.act(async () => {
        const { link, receipt } = this.params;
        const phone = detail.phoneCode ? { phone_code: detail.phoneCode } : {};
        const body = { consent_version: this.data.me.version, ...phone, ...(link ? { link } : {}), ...(receipt ? { receipt } : {}) };
        const answer = await this.api.post('/me/join', body);
        this.params.link = '';
        this.setData({ link: '', page: this.pageOf(answer.joined) });
        this.showMe(answer);
        this.tell(joinedWords(answer.joined, this.data.t));
      });
    },

    onPhone({ detail }) {
      // The shopper declined: that is all right.
      if (!detail.code) return undefined;
      return this.act(async () => this.showMe(await this.api.post('/me/phone', { code: detail.code })));
    },

    onCoupon({ currentTarget }) {
      const { code } = currentTarget.dataset;
      this.setData({ shown: this.data.shown === code ? '' : code });
    },

    onPlateType({ detail }) {
      this.setData({ plate: detail.value.toUpperCase() });
    },

    onPlateAgree({ detail }) {
      this.setData({ plateAgreed: detail.value.length > 0 });
    },

    onBind() {
      const plate = this.data.plate.trim();
      if (!plate) return undefined;
      if (!this.data.plateAgreed) {
        this.onUnticked();
        return undefined;
      }
      return this.act(async () => {
        const { receipt } = this.params;
        const body = { plate, consent_version: this.data.me.version, key: newKey(), ...(receipt ? { receipt } : {}) };
        this.showMe(await this.api.post('/me/plates', body));
        this.setData({ plate: '', plateAgreed: false });
      });
    },

    onUnbind({ currentTarget }) {
      return this.act(async () => this.showMe(await this.api.post(`/me/plates/${currentTarget.dataset.id}/remove`)));
    },

    onConsent({ currentTarget }) {
      const { purpose } = currentTarget.dataset;
      const found = this.data.me.consents.find((one) => one.purpose === purpose);
      if (found.given && purpose === 'membership') return this.onErase();
      if (found.given && purpose === 'plate') return this.askWithdraw(found);
      return this.consent(found);
    },

    /** Withdrawing takes the cars along: that is said before. */
    askWithdraw(found) {
      const { t } = this.data;
      wx.showModal({
        title: t.withdraw,
        content: t.plateWithdrawAsk,
        confirmText: t.yes,
        cancelText: t.cancel,
        success: ({ confirm }) => confirm && this.consent(found),
      });
    },

    consent({ purpose, given, version }) {
      const body = { purpose, version: given ? version : this.data.me.version, given: !given };
      return this.act(async () => this.showMe(await this.api.post('/me/consent', body)));
    },

    onHistory() {
      return this.act(() => this.fetchHistory([], undefined));
    },

    onMore() {
      const { history } = this.data;
      return this.act(() => this.fetchHistory(history, history[history.length - 1].at));
    },

    async fetchHistory(before, at) {
      const answer = await this.api.get('/me/points', { before: at });
      this.setData({ history: [...before, ...pointsView(answer.lines)], more: answer.more && answer.lines.length > 0 });
    },

    onExport() {
      return this.act(async () => {
        const all = await this.api.get('/me/export');
        await new Promise((resolve, reject) => {
          wx.setClipboardData({ data: JSON.stringify(all, null, 2), success: resolve, fail: reject });
        });
        this.tell(this.data.t.exported);
      });
    },

    onErase() {
      const { t } = this.data;
      wx.showModal({
        title: t.erase,
        content: t.eraseAsk,
        confirmText: t.yes,
        cancelText: t.cancel,
        success: ({ confirm }) => confirm && this.erase(),
      });
    },

    erase() {
      return this.act(async () => {
        await this.api.post('/me/erase', { confirm: true });
        this.api.forget();
        this.setData({ history: null, shown: '', status: 'loading' });
        this.tell(this.data.t.erased);
        await this.refresh();
      });
    },

    onParking() {
      this.go('parking', {});
    },
  }),
);
