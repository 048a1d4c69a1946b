// What every page does: read what it was opened with, say its title, load, show what went wrong, load again.
const address = require('./address');
const { openApi } = require('./api');
const language = require('./language');
const { routeOfLaunch, routeOfTarget, routeOfUrl, pathOf } = require('./routes');
const { textsOf } = require('./texts/index');
const timing = require('./timing');
const { ApiError } = require('./wire');

/** How many pages may lie on one another; WeChat's limit is 10. */
const DEEP = 8;

/**
 * Return the options of a Page.
 * name: its folder. data: what it starts with. load(newest): fetch and setData; it may throw an ApiError. newest() says
 * whether no later load has begun: an answer that comes after that of a later question is not shown.
 * Everything else becomes a method. A page's `status` is loading, ready, error or offline.
 */
function screen({ name, data, load, ...methods }) {
  return {
    ...frame(name),
    ...methods,
    data: { status: 'loading', problem: '', t: {}, language: 'zh', ...data },
    load() {
      this.loads = (this.loads || 0) + 1;
      const number = this.loads;
      return load.call(this, () => number === this.loads);
    },
  };
}

function frame(name) {
  return {
    onLoad(query) {
      const asked = routeOfLaunch(query);
      if (asked.override) address.override(asked.override);
      if (asked.base) address.choose(asked.base);
      const foreign = Boolean(asked.unknown) || (asked.base !== '' && !address.isOurs(asked.base));
      if (!foreign && asked.page && asked.page !== name) {
        wx.redirectTo({ url: pathOf(asked.page, asked.params, asked.c) });
        return undefined;
      }
      this.params = foreign ? { unknown: asked.unknown || 'foreign' } : asked.params;
      this.speak(language.current());
      this.api = openApi({ base: address.current(), language: this.data.language, c: asked.c });
      return this.refresh();
    },
    speak(chosen) {
      const t = textsOf(chosen, name);
      this.setData({ t, language: chosen });
      wx.setNavigationBarTitle({ title: t.title });
    },
    /** Load, and show how it went; what became of an older refresh says nothing of a newer one. */
    async refresh() {
      this.refreshes = (this.refreshes || 0) + 1;
      const number = this.refreshes;
      if (this.data.status !== 'ready') this.setData({ status: 'loading', problem: '' });
      try {
        if (this.params.unknown) throw new ApiError('not_found');
        await this.load();
        if (number === this.refreshes) this.setData({ status: 'ready', problem: '' });
      } catch (error) {
        if (number === this.refreshes) this.setData({ ...this.failure(error) });
      }
    },
    /** Load again after something else on the page; a page that stands keeps standing without an answer. */
    async reload() {
      try {
        await this.load();
      } catch (error) {
        if (!error.word) throw error;
        this.setData({ problem: this.said(error) });
      }
    },
    failure(error) {
      if (!error.word) {
        console.error(error);
        return { status: 'error', problem: this.data.t.wrong };
      }
      return { status: error.word === 'offline' ? 'offline' : 'error', problem: this.said(error) };
    },
    /** Return what a person is told of an error: the box's own words, else ours. */
    said(error) {
      const { t } = this.data;
      const ours = { offline: t.offline, not_found: t.notFound, unavailable: t.unavailable };
      if (error.status && error.message && error.message !== error.word) return error.message;
      return ours[error.word] || t.wrong;
    },
    /** Do what a tap asks for, once at a time; what fails is said in a toast. Resolve with whether it went well. */
    async act(work) {
      if (this.acting) return false;
      this.acting = true;
      try {
        await work();
        return true;
      } catch (error) {
        if (!error.word) console.error(error);
        this.tell(error.word ? this.said(error) : this.data.t.wrong);
        return false;
      } finally {
        this.acting = false;
      }
    },
    again() {
      return this.refresh();
    },
    go(page, params) {
      const url = pathOf(page, params, this.api.c);
      const open = typeof getCurrentPages === 'function' && getCurrentPages().length >= DEEP;
      wx[open ? 'redirectTo' : 'navigateTo']({ url });
    },
    turnTo(page, params) {
      wx.redirectTo({ url: pathOf(page, params, this.api.c) });
    },
    /** Follow an address: ours is a page here, any other can only be opened in a browser. */
    lead(target) {
      const route = routeOfTarget(target) || routeOfUrl(target);
      if (route && (!route.base || address.choose(route.base))) {
        wx.navigateTo({ url: pathOf(route.page, route.params, route.c || this.api.c) });
      } else if (target) {
        wx.setClipboardData({ data: target, success: () => this.tell(this.data.t.copiedLink) });
      }
    },
    tell(title) {
      wx.showToast({ title, icon: 'none', duration: 3000 });
    },
    goHome() {
      wx.reLaunch({ url: pathOf('home', {}, '') });
    },
    async onPullDownRefresh() {
      await this.refresh();
      wx.stopPullDownRefresh();
    },
    /** Look again and again while the page is on top and look() says true. */
    watch(look) {
      this.unwatch();
      let looked = 0;
      const next = () => {
        this.watching = setTimeout(async () => {
          looked += 1;
          const more = await look().catch((error) => Boolean(error.word));
          if (more && looked < timing.looks && this.watching) next();
        }, timing.look);
      };
      this.looking = look;
      next();
    },
    unwatch() {
      clearTimeout(this.watching);
      this.watching = null;
      this.looking = null;
    },
    onHide() {
      const { looking } = this;
      this.unwatch();
      this.asleep = looking;
    },
    onShow() {
      if (this.asleep) this.watch(this.asleep);
      this.asleep = null;
    },
    onUnload() {
      this.unwatch();
      this.asleep = null;
    },
  };
}

module.exports = { screen };
