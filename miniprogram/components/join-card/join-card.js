// Joining as a member: what is agreed to, a box that nobody has ticked beforehand, and a phone number only on request.
// Events: join {phoneCode}, unticked.
Component({
  options: { addGlobalClass: true },
  properties: {
    text: { type: String, value: '' },
    t: { type: Object, value: {} },
  },
  data: { agreed: false },
  methods: {
    onAgree({ detail }) {
      this.setData({ agreed: detail.value.length > 0 });
    },
    onJoin() {
      if (!this.data.agreed) {
        this.triggerEvent('unticked');
        return;
      }
      this.triggerEvent('join', { phoneCode: '' });
    },
    onPhone({ detail }) {
      // Whoever declines to give a number has not declined to join, but has asked for nothing either.
      if (detail.code) this.triggerEvent('join', { phoneCode: detail.code });
    },
  },
});
