const { newPhone, openPage, fixture, refused, closeAll, hurry, until, latest, hold, BASE } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/parking', () => fixture('parking_stay'));
});
afterEach(closeAll);

const none = () => phone.on('GET', '/parking', { stays: [] });
const query = () => phone.asked('GET', '/parking').slice(-1)[0].query;

test('a member sees his own car at once, what it costs and why', async () => {
  const parking = await openPage('parking');
  expect(query()).toBe('mine=1');
  expect(parking.words('plate')).toBe('粤B·**345');
  expect(parking.words('segments')).toContain('2 小时 × ¥5');
  expect(parking.words('used')).toBe('已用优惠购物减免 1 小时');
  expect(parking.words('pay')).toBe('支付 ¥10.00');
});

test('a phone that is nobody yet is asked for a plate', async () => {
  phone.on('POST', '/login', () => refused(503, 'unavailable'));
  const parking = await openPage('parking');
  expect(phone.asked('GET', '/parking')).toEqual([]);
  expect(parking.has('stay')).toBe(false);
  expect(parking.has('none')).toBe(false);
});

test('a plate is looked for in capitals, and what was paid leads to the page after payment', async () => {
  none();
  phone.on('POST', '/parking/s-1/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
  const parking = await openPage('parking');
  phone.on('GET', '/parking', () => fixture('parking_stay'));
  await parking.send('plate-input', 'input', { value: '粤b12345' });
  await parking.tap('find');
  await until(() => parking.has('stay'));
  expect(query()).toBe(`plate=${encodeURIComponent('粤B12345')}`);
  await parking.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.asked('POST', '/parking/s-1/pay')[0].body).toEqual({ by: 'plate', word: '粤B12345' });
  expect(phone.left()).toEqual(['/pages/paid/paid?receipt=r-token&order=o-1']);
});

test.each([
  [{ ticket: 'tok' }, 'ticket=tok', '没有找到这张停车票'],
  [{ lane: 'exit-1' }, 'lane=exit-1', '出口还没有车'],
  [{ plate: encodeURIComponent('粤B1') }, `plate=${encodeURIComponent('粤B1')}`, '没有找到在场的车'],
])('opened by %j nothing found is said in its own words', async (params, asked, words) => {
  none();
  const parking = await openPage('parking', params);
  expect(query()).toBe(asked);
  expect(parking.words('none')).toContain(words);
});

test('an exit lane sees the car that drives up', async () => {
  none();
  const parking = await openPage('parking', { lane: 'exit-1' });
  phone.on('GET', '/parking', () => fixture('parking_stay'));
  await until(() => parking.has('stay'));
  expect(parking.has('none')).toBe(false);
});

test('a stay that is paid says until when to leave and asks for no money', async () => {
  const { stays } = fixture('parking_stay');
  phone.on('GET', '/parking', { stays: [{ ...stays[0], due_fen: 0, allowed_exit_at: new Date(2026, 10, 22, 18, 5).getTime() }] });
  const parking = await openPage('parking', { ticket: 'tok' });
  expect(parking.words('free')).toContain('请在 18:05 前出场');
  expect(parking.has('pay')).toBe(false);
});

test.each(['Mall-Utc-Offset', 'mall-utc-offset'])('times are the mall\'s, by what the box says with %s', async (name) => {
  const { stays } = fixture('parking_stay');
  const body = { stays: [{ ...stays[0], due_fen: 0, entered_at: Date.UTC(2026, 10, 22, 16, 30), allowed_exit_at: Date.UTC(2026, 10, 22, 20, 5) }] };
  phone.on('GET', '/parking', { status: 200, header: { [name]: '345' }, body });
  const parking = await openPage('parking');
  expect(parking.words('free')).toContain('请在 01:50 前出场');
  expect(parking.text()).toContain('11-22 22:15');
});

test('points pay for some of it, once for each tap, and what is left is shown', async () => {
  phone.on('POST', '/parking/s-1/points', () => fixture('parking_stay'));
  const parking = await openPage('parking');
  expect(parking.words('points')).toBe('用 100 积分抵扣');
  const { stays } = fixture('parking_stay');
  phone.on('GET', '/parking', { stays: [{ ...stays[0], due_fen: 500 }] });
  await parking.tap('points');
  await until(() => parking.words('pay') === '支付 ¥5.00');
  expect(phone.asked('POST', '/parking/s-1/points')[0].body).toMatchObject({ by: 'mine', word: '', key: expect.stringMatching(/^[\w-]{8,40}$/) });
});

test('of several stays the one that is tapped is paid', async () => {
  const { stays } = fixture('parking_stay');
  phone.on('GET', '/parking', { stays: [stays[0], { ...stays[0], stay_id: 's-2', due_fen: 2500 }] });
  phone.on('POST', '/parking/s-2/pay', () => fixture('payment_paid'));
  const parking = await openPage('parking');
  await parking.tap('stay', 1);
  expect(parking.words('pay')).toBe('支付 ¥25.00');
  await parking.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.asked('POST', '/parking/s-2/pay').length).toBe(1);
});

test('too many look-ups are refused in the box\'s words, and the field stays', async () => {
  none();
  const parking = await openPage('parking');
  phone.on('GET', '/parking', () => refused(429, 'too_often', '查询太频繁'));
  await parking.send('plate-input', 'input', { value: '粤B2' });
  await parking.tap('find');
  await until(() => parking.data().status === 'error');
  expect(parking.words('state-text')).toBe('查询太频繁');
  expect(parking.has('find')).toBe(true);
});

test('a payment that is open from before goes on', async () => {
  const { stays } = fixture('parking_stay');
  phone.on('GET', '/parking', { stays: [{ ...stays[0], order_id: 'o-1' }] });
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  const parking = await openPage('parking');
  await until(() => parking.data().pay.phase === 'left');
  expect(parking.words('pay')).toBe('继续支付 ¥10.00');
});

test('a ticket\'s or a lane\'s code that is scanned here opens its stay', async () => {
  const parking = await openPage('parking');
  phone.scanned = [`${BASE}/phone/parking/lane/exit-1`];
  await parking.tap('scan');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/parking/parking?lane=exit-1']);
});

test.each([
  ['an answer', () => ({ stays: [] })],
  ['a refusal', () => refused(429, 'too_often', '查询太频繁')],
])('what was looked for stays, though %s about the own cars comes after it', async (_, late) => {
  const kept = hold(['mine=1', 'plate=']);
  const opening = openPage('parking');
  await until(() => kept['mine=1']);
  const parking = latest();
  await parking.send('plate-input', 'input', { value: '粤b12345' });
  await parking.tap('find');
  await until(() => kept['plate=']);
  await kept['plate=']();
  expect(parking.has('stay')).toBe(true);
  phone.on('GET', '/parking', late);
  await kept['mine=1']();
  await opening;
  expect(phone.asked('GET', '/parking').length).toBe(2);
  expect(parking.data()).toMatchObject({ status: 'ready', by: 'plate', none: '', chosen: 's-1' });
  expect(parking.has('stay')).toBe(true);
});

test('somebody else who pays the stay is said, and stays said', async () => {
  phone.on('POST', '/parking/s-1/pay', () => refused(409, 'declined', '正在岗亭支付'));
  const parking = await openPage('parking');
  await parking.tap('pay');
  await until(() => parking.has('bar-problem'));
  await until(() => phone.asked('GET', '/parking').length === 2);
  expect(parking.words('bar-problem')).toBe('正在岗亭支付');
});
