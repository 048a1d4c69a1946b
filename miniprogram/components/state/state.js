// What a page shows while it has nothing to show: loading, no network, an error. Else what it holds.
Component({
  options: { addGlobalClass: true },
  properties: {
    status: { type: String, value: 'loading' },
    problem: { type: String, value: '' },
    t: { type: Object, value: {} },
  },
  methods: {
    onAgain() {
      this.triggerEvent('again');
    },
    onHome() {
      this.triggerEvent('home');
    },
  },
});
