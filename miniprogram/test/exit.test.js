const { newPhone, openPage, fixture, closeAll, hurry, until } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused'));
});
afterEach(closeAll);

test('the exit code is a QR code, with how many things and what was paid for them', async () => {
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.qr()).toBe(fixture('exit_unused').qr);
  expect(exit.words('exit-count')).toBe('共 3 件');
  expect(exit.text()).toContain('可以出场');
});

test('the page sees that the guard has scanned it, and the code is gone', async () => {
  const exit = await openPage('exit', { order: 'o-1' });
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused', { state: 'passed', verdict: 'used', code: null }));
  await until(() => exit.text().includes('欢迎再来'));
  expect(exit.has('qr-picture')).toBe(false);
});

test('a re-check is said while the code stays', async () => {
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused', { state: 'recheck', verdict: 'recheck' }));
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.words('exit-words')).toContain('核对');
  expect(exit.has('qr-picture')).toBe(true);
});

test('the code is also written out in fours, so that a guard can type it', async () => {
  const exit = await openPage('exit', { order: 'o-1' });
  const shown = exit.all('exit-group').map((one) => one.textContent);
  expect(shown.join('')).toBe(fixture('exit_unused').code);
  expect(shown.every((one) => one.length <= 4)).toBe(true);
});

test('an order of which all went back says how much, and shows no code to leave with', async () => {
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused', { verdict: 'refunded', code: null, count: 0, refunded_fen: 10290 }));
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.words('refunded')).toBe('已退款 ¥102.90，原路退回');
  expect(exit.has('exit-group')).toBe(false);
});

test('of an order of which a part went back the page shows what is left', async () => {
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused', { refunded_fen: 290, count: 2 }));
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.words('refunded')).toBe('已退款 ¥2.90，原路退回退款后实付 ¥100.00');
  expect([exit.words('exit-count'), exit.has('qr-picture')]).toEqual(['共 2 件', true]);
});

test.each([
  ['unpaid', '还没有确认到款'],
  ['refunded', '全额退款'],
  ['expired', '已过期'],
])('an order that is %s shows no code and says so', async (verdict, words) => {
  phone.on('GET', '/exit/o-1', () => fixture('exit_unused', { verdict, code: null }));
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.words('exit-words')).toContain(words);
  expect(exit.has('qr-picture')).toBe(false);
  expect(exit.has('tick')).toBe(false);
});

test('at an exit without a network the code that was kept is shown, and said to be kept', async () => {
  (await openPage('exit', { order: 'o-1' })).close();
  phone.online = false;
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.has('kept')).toBe(true);
  expect(exit.qr()).toBe(fixture('exit_unused').qr);
  phone.online = true;
  await until(() => !exit.has('kept'));
});

test('without a network and without a kept code the page says so', async () => {
  phone.online = false;
  const exit = await openPage('exit', { order: 'o-1' });
  expect(exit.data().status).toBe('offline');
});

test('a page that is hidden asks no more, and goes on when it is shown again', async () => {
  const exit = await openPage('exit', { order: 'o-1' });
  exit.page.instance.onHide();
  const before = phone.calls.length;
  await new Promise((resolve) => {
    setTimeout(resolve, 40);
  });
  expect(phone.calls.length).toBe(before);
  exit.page.instance.onShow();
  await until(() => phone.calls.length > before);
});
