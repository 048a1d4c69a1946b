// The bar at a page's foot that pays: the amount, the button, and how the payment stands. Events: pay, ask, giveup.
Component({
  options: { addGlobalClass: true },
  properties: {
    pay: { type: Object, value: { phase: 'idle', problem: '', qr: '' } },
    amount: { type: String, value: '' },
    label: { type: String, value: '' },
    againLabel: { type: String, value: '' },
    disabled: { type: Boolean, value: false },
    t: { type: Object, value: {} },
  },
  methods: {
    onPay() {
      if (!this.data.disabled) this.triggerEvent('pay');
    },
    onAsk() {
      this.triggerEvent('ask');
    },
    onGiveUp() {
      this.triggerEvent('giveup');
    },
  },
});
