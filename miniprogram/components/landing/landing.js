// A tenant's page: its head and its blocks. Events: block {index}; join {phoneCode}, unticked; follow.
Component({
  options: { addGlobalClass: true },
  properties: {
    // title, picture and blocks, as lib/views/landing.js makes them.
    page: { type: Object, value: {} },
    t: { type: Object, value: {} },
    // What is said to a member instead of inviting to join, "" to others.
    member: { type: String, value: '' },
    joinText: { type: String, value: '' },
    joining: { type: Boolean, value: false },
    // The coupon whose code is shown large.
    shown: { type: String, value: '' },
  },
  methods: {
    onBlock({ currentTarget }) {
      this.triggerEvent('block', { index: currentTarget.dataset.index });
    },
    onFollow() {
      this.triggerEvent('follow');
    },
    onJoin({ detail }) {
      this.triggerEvent('join', detail);
    },
    onUnticked() {
      this.triggerEvent('unticked');
    },
  },
});
