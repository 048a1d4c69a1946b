const { yuan } = require('../lib/money');
const { heed, forget, hourMinute, date, dayTime } = require('../lib/times');

afterEach(forget);

test.each([
  [0, '¥0.00'],
  [5, '¥0.05'],
  [12800, '¥128.00'],
  [-105, '-¥1.05'],
  [100000001, '¥1000000.01'],
])('%i fen is %s', (fen, shown) => {
  expect(yuan(fen)).toBe(shown);
});

test('until a box has answered an instant is shown in the zone of the phone, and none as nothing', () => {
  const at = new Date(2026, 10, 2, 9, 5).getTime();
  expect([hourMinute(at), date(at), dayTime(at)]).toEqual(['09:05', '2026-11-02', '11-02 09:05']);
  expect([hourMinute(null), date(0), dayTime(undefined)]).toEqual(['', '', '']);
});

test.each([
  ['480', '00:30', '2026-11-23', '11-23 00:30'],
  ['0', '16:30', '2026-11-22', '11-22 16:30'],
  ['-210', '13:00', '2026-11-22', '11-22 13:00'],
])('an instant is shown as the mall\'s clocks show it, %s minutes ahead of UTC', (minutes, hour, day, both) => {
  const at = Date.UTC(2026, 10, 22, 16, 30);
  heed(minutes);
  expect([hourMinute(at), date(at), dayTime(at)]).toEqual([hour, day, both]);
});

test.each(['', undefined, 'x', '1e3', '99999', '1081'])('what is no offset (%j) is passed over', (said) => {
  const at = Date.UTC(2026, 10, 22, 16, 30);
  heed('480');
  heed(said);
  expect(hourMinute(at)).toBe('00:30');
});
