const { newPhone, openPage, fixture, refused, closeAll, hurry, until, BASE } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/cart', () => fixture('cart'));
  phone.on('POST', '/cart/scan', () => fixture('cart'));
});
afterEach(closeAll);

const empty = () => phone.on('GET', '/cart', () => fixture('cart_empty'));

test('an empty basket says how to begin and cannot be paid', async () => {
  empty();
  const shop = await openPage('shop');
  expect(shop.has('empty')).toBe(true);
  expect(shop.has('pay')).toBe(false);
});

test('goods that are scanned go to the box with a key of their own', async () => {
  empty();
  const shop = await openPage('shop');
  phone.scanned = ['6901234567892', '6901234567892'];
  await shop.tap('scan');
  await until(() => shop.all('goods-line').length === 2);
  await shop.tap('scan');
  await until(() => phone.asked('POST', '/cart/scan').length === 2);
  const [first, second] = phone.asked('POST', '/cart/scan').map((one) => one.body);
  expect(first.code).toBe('6901234567892');
  expect(first.key).not.toBe(second.key);
  expect(shop.words('pay')).toBe('支付 ¥102.90');
});

test('a code that is typed is added, and the field is empty again', async () => {
  empty();
  const shop = await openPage('shop');
  await shop.send('input', 'input', { value: ' 6901 ' });
  await shop.tap('add');
  await until(() => shop.data().typed === '');
  expect(phone.asked('POST', '/cart/scan')[0].body.code).toBe('6901');
});

test('what is not sold here is said, and what was typed stays to be corrected', async () => {
  const shop = await openPage('shop');
  phone.on('POST', '/cart/scan', () => fixture('cart_notice'));
  await shop.send('input', 'input', { value: '1' });
  await shop.tap('add');
  await until(() => shop.has('cart-notice'));
  expect(shop.words('cart-notice')).toBe('这个条码没有找到');
  phone.on('POST', '/cart/scan', 'offline');
  await shop.send('input', 'input', { value: '2' });
  await shop.tap('add');
  await until(() => phone.toast());
  expect(phone.toast()).toContain('网络不通');
  expect(shop.data().typed).toBe('2');
});

test('pieces can be changed and taken out; what was weighed can only be taken out', async () => {
  const shop = await openPage('shop');
  phone.on('POST', '/cart/lines/l-[12]', () => fixture('cart'));
  const told = () => phone.asked('POST', '/cart/lines/l-[12]').map((one) => one.body.quantity);
  expect(shop.all('more').length).toBe(1);
  await shop.tap('less');
  await until(() => told().length === 1 && !shop.page.instance.telling);
  await shop.tap('remove');
  await until(() => told().length === 2);
  expect(told()).toEqual([1, 0]);
});

test('quick taps are shown at once, the box is told the last of them, and paying waits for it', async () => {
  const shop = await openPage('shop');
  const lines = fixture('cart').lines.slice(0, 1);
  phone.on('POST', '/cart/lines/l-1', ({ body }) =>
    fixture('cart', { lines: [{ ...lines[0], quantity: body.quantity }], total_fen: body.quantity * 4500 }),
  );
  phone.on('POST', '/cart/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
  for (const shown of ['3', '4', '5']) {
    const tapped = shop.tap('more');
    await tapped;
    expect(shop.words('goods-quantity')).toBe(shown);
  }
  await shop.tap('pay');
  await until(() => phone.left().length > 0);
  const told = phone.asked('POST', '/cart/(lines/l-1|pay)').map((one) => one.body.quantity);
  expect(told.slice(-2)).toEqual([5, undefined]);
  expect(shop.data().cart.amount).toBe('¥225.00');
});

test('a quantity that the box refuses is taken back and said', async () => {
  const shop = await openPage('shop');
  phone.on('POST', '/cart/lines/l-1', () => refused(409, 'declined', '最多 99 件'));
  await shop.tap('more');
  await until(() => phone.toast());
  expect(phone.toast()).toBe('最多 99 件');
  await until(() => shop.words('goods-quantity') === '2');
});

test('goods with an age say that an identity card is needed', async () => {
  phone.on('GET', '/cart', () => fixture('cart', { age_needed: 18 }));
  const shop = await openPage('shop');
  expect(shop.words('age')).toContain('18');
});

test('a paid basket leads to the page after payment, with the way to the exit code', async () => {
  phone.on('POST', '/cart/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
  const shop = await openPage('shop');
  await shop.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/paid/paid?receipt=r-token&order=o-1&exit=1']);
  expect(JSON.parse(phone.storage.recent)[0]).toMatchObject({ order: 'o-1', kind: 'shop', base: BASE });
});

test('whoever leaves the sheet finds the basket standing still, with a way back to scanning', async () => {
  phone.sheet = 'cancel';
  phone.on('POST', '/cart/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  const shop = await openPage('shop');
  phone.on('GET', '/cart', () => fixture('cart', { order_id: 'o-1' }));
  await shop.tap('pay');
  await until(() => shop.has('back'));
  expect(shop.has('more')).toBe(false);
  expect(shop.data().pay.phase).toBe('left');
});

test('paid goods whose receipt is not there yet lead straight to the exit code', async () => {
  phone.on('POST', '/cart/pay', () => fixture('payment_paid', { receipt: null }));
  const shop = await openPage('shop');
  await shop.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/exit/exit?order=o-1']);
});

test('a basket whose payment is open stands still until the shopper goes on scanning', async () => {
  phone.on('GET', '/cart', () => fixture('cart', { order_id: 'o-1' }));
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  phone.on('POST', '/cart/back', () => fixture('cart'));
  const shop = await openPage('shop');
  await until(() => shop.data().pay.phase === 'left');
  expect(shop.has('scan')).toBe(false);
  expect(shop.has('more')).toBe(false);
  await shop.tap('back');
  await until(() => shop.has('scan'));
  expect(shop.words('pay')).toBe('支付 ¥102.90');
});

test('going back while money moves is refused in the box\'s words', async () => {
  phone.on('GET', '/cart', () => fixture('cart', { order_id: 'o-1' }));
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  phone.on('POST', '/cart/back', () => refused(409, 'declined', '正在收款'));
  const shop = await openPage('shop');
  await shop.tap('back');
  await until(() => phone.toast());
  expect(phone.toast()).toBe('正在收款');
  expect(shop.has('scan')).toBe(false);
});

test('a basket is handed to a kiosk by a code, and the page sees that it was taken', async () => {
  phone.on('POST', '/cart/give', () => fixture('cart_give'));
  const shop = await openPage('shop');
  await shop.tap('give');
  await until(() => shop.has('qr-picture'));
  expect(shop.qr()).toBe(fixture('cart_give').qr);
  empty();
  await until(() => shop.has('empty'));
  expect(shop.has('give-card')).toBe(false);
});

test('a code that home has read is added once, also when the page is loaded again', async () => {
  empty();
  const shop = await openPage('shop', { code: '6901' });
  expect(phone.asked('POST', '/cart/scan').length).toBe(1);
  await shop.page.instance.onPullDownRefresh();
  expect(phone.asked('POST', '/cart/scan').length).toBe(1);
  expect(phone.last('stopPullDownRefresh')).toBeDefined();
});

test('a ticket\'s code that is scanned here opens the ticket', async () => {
  const shop = await openPage('shop');
  phone.scanned = [`${BASE}/phone/t/t1`];
  await shop.tap('scan');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/ticket/ticket?ticket=t1']);
  expect(phone.asked('POST', '/cart/scan')).toEqual([]);
});
