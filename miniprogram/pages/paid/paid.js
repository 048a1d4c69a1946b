// The page after payment: what is to be done next (exit code, collection code), and what the tenant invites to.
const recent = require('../../lib/recent');
const { screen } = require('../../lib/screen');
const { landingView } = require('../../lib/views/landing');
const { meView, joinedWords } = require('../../lib/views/me');
const { fill } = require('../../lib/texts/index');

Page(
  screen({
    name: 'paid',
    data: { page: null, me: null, joining: false, shown: '', release: '', handedOver: false, exit: false, templates: [], asked: false },

    async load() {
      const { receipt, order, exit } = this.params;
      const { scene } = wx.getLaunchOptionsSync();
      const { language, t } = this.data;
      const answer = await this.api.get(`/landing/${receipt}`);
      const page = landingView(answer, t, { base: this.api.base, language, scene });
      this.api.c = this.api.c || answer.c || '';
      this.setData({ page, exit: Boolean(exit) });
      if (order) recent.note(order, { receipt, number: answer.number, amount_fen: answer.total_fen, refunded_fen: answer.refunded_fen || 0, base: this.api.base });
      // What follows only adds to the page; it stands without.
      await Promise.all([this.touch('opened'), this.loadMe(), this.loadTicket(), this.loadTemplates()].map(quiet));
    },

    async loadMe() {
      this.showMe(await this.api.get('/me'));
    },

    showMe(answer) {
      const me = meView(answer, this.data.t);
      const member = me.member ? fill(this.data.t.member, { points: me.member.points }) : '';
      this.setData({ me, member });
    },

    async loadTicket() {
      const { ticket } = this.params;
      if (!ticket) return;
      const answer = await this.api.get(`/t/${ticket}`);
      this.setData({ release: answer.release_code || '', handedOver: answer.state === 'handed_over' });
      if (answer.state === 'paid') this.watch(() => this.lookForHandOver(ticket));
    },

    async lookForHandOver(ticket) {
      const answer = await this.api.get(`/t/${ticket}`);
      this.setData({ release: answer.release_code || '', handedOver: answer.state === 'handed_over' });
      return answer.state === 'paid';
    },

    /** Joining may have validated parking with this purchase. */
    async loadParking() {
      const answer = await this.api.get(`/landing/${this.params.receipt}`);
      const { language, t } = this.data;
      const { scene } = wx.getLaunchOptionsSync();
      this.setData({ page: landingView(answer, t, { base: this.api.base, language, scene }) });
    },

    async loadTemplates() {
      const { templates } = await this.api.session();
      this.setData({ templates: this.params.order ? (templates || []).slice(0, 5) : [] });
    },

    touch(touchpoint, block) {
      const which = block === undefined ? {} : { block };
      return this.api.post(`/landing/${this.params.receipt}/touch`, { touchpoint, ...which });
    },

    onBlock({ detail }) {
      const block = this.data.page.blocks[detail.index];
      if (TOUCHED.includes(block.kind)) quiet(this.touch(block.kind, block.index));
      if (block.kind === 'join') this.setData({ joining: !this.data.joining });
      else if (block.kind === 'parking') this.onParking();
      else if (block.kind === 'coupon' && block.code) this.setData({ shown: this.data.shown === block.code ? '' : block.code });
      else this.lead(block.url);
    },

    /** Parking that this purchase has not validated yet needs to know whose car it is for. */
    onParking() {
      if (this.data.page.parking.length > 0) this.go('parking', {});
      else this.go('me', { receipt: this.params.receipt });
    },

    onFollow() {
      quiet(this.touch('follow'));
    },

    onUnticked() {
      this.tell(this.data.t.agreeFirst);
    },

    onJoin({ detail }) {
      return this.act(async () => {
        await this.api.signIn();
        const phone = detail.phoneCode ? { phone_code: detail.phoneCode } : {};
        const { receipt } = this.params;
        const answer = await this.api.post('/me/join', { consent_version: this.data.me.version, receipt, ...phone });
        this.showMe(answer);
        this.setData({ joining: false });
        this.tell(joinedWords(answer.joined, this.data.t));
        await quiet(this.loadParking());
      });
    },

    /** WeChat asks the shopper only within a tap. */
    onSubscribe() {
      const { templates, t } = this.data;
      wx.requestSubscribeMessage({
        tmplIds: templates,
        success: (said) => {
          const chosen = {};
          for (const id of templates) if (said[id]) chosen[id] = said[id];
          const agreed = templates.some((id) => said[id] === 'accept');
          this.setData({ asked: true });
          this.tell(agreed ? t.subscribed : t.refused);
          quiet(this.api.post('/subscribe', { order_id: this.params.order, templates: chosen }));
        },
        fail: () => this.setData({ asked: true }),
      });
    },

    onExit() {
      this.go('exit', { order: this.params.order });
    },
    onMe() {
      this.go('me', {});
    },
    onReceipt() {
      wx.setClipboardData({ data: this.data.page.url, success: () => this.tell(this.data.t.copiedLink) });
    },
  }),
);

/** What a block's tap is told to the box as; a title or a picture is none. */
const TOUCHED = ['join', 'follow', 'offer', 'coupon', 'parking', 'guide', 'next_store'];

/** Let a call fail that nobody waits for; what is wrong in our own code is still said. */
function quiet(promise) {
  return promise.catch((error) => {
    if (!error.word) console.error(error);
  });
}
