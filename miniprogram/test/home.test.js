const { newPhone, openPage, fixture, refused, closeAll, hurry, until, BASE } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
});
afterEach(closeAll);

test('home offers what one can do here and asks the box for nothing', async () => {
  const home = await openPage('home');
  for (const [tile, url] of [['shop', '/pages/shop/shop'], ['parking', '/pages/parking/parking'], ['me', '/pages/me/me']]) {
    await home.tap(tile);
    expect(phone.left().slice(-1)).toEqual([url]);
  }
  expect(phone.calls).toEqual([]);
});

test('the one page of the rule for ordinary QR codes leads on to the page that the code means', async () => {
  await openPage('home', { q: encodeURIComponent(`${BASE}/phone/k/hand?c=way-9`), scancode_time: '1790000000' });
  expect(phone.left()).toEqual(['/pages/kiosk/kiosk?code=hand&c=way-9']);
});

test('a code that is scanned here opens its page', async () => {
  const home = await openPage('home');
  phone.scanned = [`${BASE}/phone/t/t1?c=way-3`];
  await home.tap('scan');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/ticket/ticket?ticket=t1&c=way-3']);
});

test('goods that are scanned here are put into the basket; a stranger\'s code is refused; going back does nothing', async () => {
  const home = await openPage('home');
  phone.scanned = ['6901234567892'];
  await home.tap('scan');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual(['/pages/shop/shop?code=6901234567892']);
  phone.scanned = ['https://evil.example/phone/t/t1'];
  await home.tap('scan');
  await until(() => home.data().unknown);
  expect(home.text()).toContain('不属于本商场');
  await home.tap('scan');
  expect(phone.left().length).toBe(1);
});

test('a touchpoint\'s code is told to the box, which says where it leads and which way this is', async () => {
  phone.on('POST', '/touch', () => fixture('touch'));
  await openPage('home', { q: encodeURIComponent(`${BASE}/phone/go/door-3`) });
  await until(() => phone.left().length > 0);
  expect(phone.asked('POST', '/touch')[0].body).toEqual({ touchpoint: 'door-3', scene: 1011 });
  expect(phone.left()).toEqual(['/pages/shop/shop?c=way-2']);
});

test('a mini-program code of a touchpoint does the same; one that leads nowhere stays at home', async () => {
  phone.on('POST', '/touch', () => fixture('touch', { leads_to: '' }));
  const home = await openPage('home', { scene: 'door-3' });
  expect(home.data().status).toBe('ready');
  expect(phone.left()).toEqual([]);
  await home.tap('shop');
  expect(phone.left()).toEqual(['/pages/shop/shop?c=way-2']);
});

test('a touchpoint that leads out of the mini-program gives its address to copy', async () => {
  phone.on('POST', '/touch', () => fixture('touch', { leads_to: 'https://shop.example/spring' }));
  const home = await openPage('home', { scene: 'door-3' });
  await home.tap('copy');
  expect(phone.last('setClipboardData').data).toBe('https://shop.example/spring');
});

test('a touchpoint that nobody knows is said', async () => {
  phone.on('POST', '/touch', () => refused(404, 'not_found', '没有这个码'));
  const home = await openPage('home', { scene: 'door-3' });
  expect(home.words('state-text')).toBe('没有这个码');
});

test('purchases of the day are found again: an exit code, a receipt; older ones are not', async () => {
  const now = Date.now();
  phone.storage.recent = JSON.stringify([
    { order: 'o-2', receipt: 'r2', number: 'K1-2', amount_fen: 500, kind: 'shop', base: `${BASE}`, at: now },
    { order: 'o-3', receipt: 'r3', number: 'K1-3', amount_fen: 700, kind: 'ticket', ticket: 't3', base: `${BASE}`, at: now },
    { order: 'o-4', receipt: 'r4', number: 'K1-4', amount_fen: 700, kind: 'kiosk', base: `${BASE}`, at: now - 25 * 3600 * 1000 },
  ]);
  for (const receipt of ['r2', 'r3']) phone.on('GET', `/landing/${receipt}`, () => fixture('landing'));
  const home = await openPage('home');
  expect(home.all('recent').length).toBe(2);
  await home.tap('recent', 0);
  await home.tap('recent', 1);
  expect(phone.left()).toEqual(['/pages/exit/exit?order=o-2', '/pages/paid/paid?receipt=r3&order=o-3&ticket=t3']);
});

test('a purchase that was refunded since says so in the list, and offers no exit code', async () => {
  const kept = { number: 'K1-2', amount_fen: 500, kind: 'shop', base: BASE, at: Date.now() };
  phone.storage.recent = JSON.stringify([
    { ...kept, order: 'o-1', receipt: 'r1' },
    { ...kept, order: 'o-2', receipt: 'r2' },
  ]);
  phone.on('GET', '/landing/r1', () => fixture('landing'));
  phone.on('GET', '/landing/r2', () => fixture('landing', { refunded_fen: 500 }));
  const home = await openPage('home');
  await until(() => home.has('refunded'));
  expect(home.all('refunded').map((one) => one.textContent)).toEqual(['已退款 ¥5.00']);
  expect(home.data().recent.map((one) => one.words)).toEqual(['出场码', '小票']);
});

test('the language can be changed and stays so', async () => {
  const home = await openPage('home');
  expect(home.text()).toContain('欢迎光临');
  await home.tap('language');
  expect(home.text()).toContain('Welcome');
  const again = await openPage('home');
  expect(again.text()).toContain('Welcome');
});
