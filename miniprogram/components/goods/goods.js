// Lines of goods; with `editable`, each piece's quantity can be changed. Event: change {lineId, quantity}.
Component({
  options: { addGlobalClass: true },
  properties: {
    lines: { type: Array, value: [] },
    t: { type: Object, value: {} },
    editable: { type: Boolean, value: false },
  },
  methods: {
    onLess({ currentTarget }) {
      this.change(currentTarget.dataset, -1);
    },
    onMore({ currentTarget }) {
      this.change(currentTarget.dataset, 1);
    },
    onRemove({ currentTarget }) {
      this.triggerEvent('change', { lineId: currentTarget.dataset.lineId, quantity: 0 });
    },
    change({ lineId, quantity }, by) {
      this.triggerEvent('change', { lineId, quantity: Math.max(0, Number(quantity) + by) });
    },
  },
});
