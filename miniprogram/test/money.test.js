const { yuan } = require('../lib/money');
const { hourMinute, date, dayTime } = require('../lib/times');

test.each([
  [0, '¥0.00'],
  [5, '¥0.05'],
  [12800, '¥128.00'],
  [-105, '-¥1.05'],
  [100000001, '¥1000000.01'],
])('%i fen is %s', (fen, shown) => {
  expect(yuan(fen)).toBe(shown);
});

test('an instant is shown in the zone of the phone, and none as nothing', () => {
  const at = new Date(2026, 10, 2, 9, 5).getTime();
  expect([hourMinute(at), date(at), dayTime(at)]).toEqual(['09:05', '2026-11-02', '11-02 09:05']);
  expect([hourMinute(null), date(0), dayTime(undefined)]).toEqual(['', '', '']);
});
