const { newPhone, openPage, fixture, refused, closeAll, hurry, until } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket'));
  phone.on('POST', '/k/h1/take', () => fixture('cart'));
});
afterEach(closeAll);

test('what is on the kiosk can be paid here', async () => {
  phone.on('POST', '/k/h1/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  expect(kiosk.text()).toContain('K1');
  await kiosk.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/paid/paid?receipt=r-token&order=o-1']);
});

test('the basket can be taken along', async () => {
  const kiosk = await openPage('kiosk', { code: 'h1' });
  await kiosk.tap('take');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/shop/shop']);
});

test('what is scanned at the kiosk meanwhile is seen here', async () => {
  const kiosk = await openPage('kiosk', { code: 'h1' });
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { total_fen: 9900 }));
  await until(() => kiosk.words('total') === '¥99.00');
});

test('a kiosk that was paid first is said, and nothing can be paid any more', async () => {
  phone.on('POST', '/k/h1/pay', () => refused(409, 'declined', '收银机上已付款'));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { state: 'paid' }));
  await kiosk.tap('pay');
  await until(() => kiosk.text().includes('已经付款'));
  expect(kiosk.has('pay')).toBe(false);
  expect(kiosk.has('take')).toBe(false);
});

test('once somebody pays it cannot be taken along', async () => {
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { state: 'paying', order_id: 'o-9' }));
  phone.on('GET', '/orders/o-9', () => refused(403, 'not_yours'));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  expect(kiosk.has('take')).toBe(false);
  expect(kiosk.words('busy')).toContain('有人正在支付');
});

test('a basket that is gone says so and offers to begin one here', async () => {
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { state: 'gone', lines: [], total_fen: 0 }));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  expect(kiosk.text()).toContain('没有这些商品');
  await kiosk.tap('shop');
  expect(phone.left()).toEqual(['/pages/shop/shop']);
});

test('a basket that is on this phone already leads to the cart', async () => {
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { state: 'gone', lines: [], total_fen: 0, on_phone: true }));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  expect(kiosk.text()).toContain('已经在您的手机上');
  expect(kiosk.words('shop')).toBe('打开购物车');
});

test('a basket that was paid at the kiosk itself says where', async () => {
  phone.on('GET', '/k/h1', () => fixture('kiosk_basket', { state: 'paid', elsewhere: true }));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  expect(kiosk.text()).toContain('已经在收银机上付款');
});

test('taking what was taken by another phone is refused in the box\'s words', async () => {
  phone.on('POST', '/k/h1/take', () => refused(409, 'declined', '已被另一台手机取走'));
  const kiosk = await openPage('kiosk', { code: 'h1' });
  await kiosk.tap('take');
  await until(() => phone.toast());
  expect(phone.toast()).toBe('已被另一台手机取走');
  expect(phone.left()).toEqual([]);
});
