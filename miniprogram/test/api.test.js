const { openApi } = require('../lib/api');
const { newKey } = require('../lib/keys');
const { newPhone, refused, fixture, hurry, BASE } = require('./phone');

let phone;
let api;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/cart', () => fixture('cart'));
  api = openApi({ base: BASE, language: 'en', c: 'way-9' });
});

test('the first call signs in with the code of wx.login, and every call carries the token, the language and the way', async () => {
  await api.get('/cart');
  await api.get('/cart');
  expect(phone.asked('POST', '/login').map((one) => one.body)).toEqual([{ code: 'code-1', c: 'way-9', scene: 1011 }]);
  const [, call] = phone.asked('GET', '/cart');
  expect(call.header).toMatchObject({ Authorization: 'Bearer tok-1', 'Accept-Language': 'en' });
  expect(call.query).toBe('c=way-9');
});

test('calls at once share one sign-in', async () => {
  await Promise.all([api.get('/cart'), api.get('/cart'), api.get('/cart')]);
  expect(phone.loginCodes).toBe(1);
});

test('a session is kept over launches, for each box its own', async () => {
  await api.get('/cart');
  await openApi({ base: BASE, language: 'en' }).get('/cart');
  expect(phone.loginCodes).toBe(1);
  await openApi({ base: `${BASE}0`, language: 'en' }).get('/cart');
  expect(phone.loginCodes).toBe(2);
});

test('a session that has ended is signed in again, and the call is made once more', async () => {
  await api.get('/cart');
  let ended = true;
  phone.on('GET', '/cart', () => {
    const answer = ended ? refused(401, 'no_session') : fixture('cart');
    ended = false;
    return answer;
  });
  phone.on('POST', '/login', () => fixture('login', { token: 'tok-2' }));
  expect((await api.get('/cart')).count).toBe(3);
  expect(phone.asked('GET', '/cart').slice(-1)[0].header.Authorization).toBe('Bearer tok-2');
});

test('a session that ends at once, whatever is done, is an error and no endless loop', async () => {
  phone.on('GET', '/cart', () => refused(401, 'no_session'));
  await expect(api.get('/cart')).rejects.toMatchObject({ word: 'no_session' });
  expect(phone.asked('GET', '/cart').length).toBe(2);
});

test('a refused code of wx.login is worth another one', async () => {
  let tried = 0;
  phone.on('POST', '/login', () => {
    tried += 1;
    return tried === 1 ? refused(403, 'login_refused') : fixture('login');
  });
  expect(await api.session()).toMatchObject({ token: 'tok-1', signedIn: true });
  expect(phone.loginCodes).toBe(2);
});

test('without WeChat behind the box the phone is nobody yet, and signs that very session in when it matters', async () => {
  phone.on('POST', '/login', () => refused(503, 'unavailable'));
  expect(await api.session()).toMatchObject({ token: 'tok-0', signedIn: false });
  phone.on('POST', '/login', () => fixture('login'));
  expect(await api.signIn()).toMatchObject({ token: 'tok-1', signedIn: true });
  expect(phone.asked('POST', '/login').slice(-1)[0].header.Authorization).toBe('Bearer tok-0');
});

test('a call without an answer is sent again with the same body, three times in all', async () => {
  let tried = 0;
  phone.on('POST', '/cart/scan', () => {
    tried += 1;
    return tried < 3 ? 'offline' : fixture('cart');
  });
  await api.post('/cart/scan', { code: '690', key: newKey() });
  const keys = phone.asked('POST', '/cart/scan').map((one) => one.body.key);
  expect(keys.length).toBe(3);
  expect(new Set(keys).size).toBe(1);
  phone.on('POST', '/cart/scan', 'offline');
  await expect(api.post('/cart/scan', {})).rejects.toMatchObject({ word: 'offline', status: 0 });
  expect(phone.asked('POST', '/cart/scan').length).toBe(6);
});

test('a box that is busy is asked again, unless it says that this takes long', async () => {
  phone.on('GET', '/cart', () => refused(503, 'unavailable', 'busy', { 'Retry-After': '0.001' }));
  await expect(api.get('/cart')).rejects.toMatchObject({ word: 'unavailable', message: 'busy' });
  expect(phone.asked('GET', '/cart').length).toBe(3);
  phone.on('GET', '/cart', () => refused(503, 'unavailable', '', { 'retry-after': '60' }));
  await expect(api.get('/cart')).rejects.toMatchObject({ retryAfter: 60000 });
  expect(phone.asked('GET', '/cart').length).toBe(4);
});

test('a refusal is final and keeps the box\'s words', async () => {
  phone.on('POST', '/cart/pay', () => refused(409, 'declined', 'Somebody else pays'));
  await expect(api.post('/cart/pay')).rejects.toMatchObject({ word: 'declined', message: 'Somebody else pays', status: 409 });
  expect(phone.asked('POST', '/cart/pay').length).toBe(1);
});

test('a relay\'s page instead of an answer is told by its status', async () => {
  phone.on('GET', '/cart', () => ({ status: 504, body: '<html>away</html>' }));
  await expect(api.get('/cart')).rejects.toMatchObject({ word: 'unavailable', status: 504 });
});

test('keys fit what the box takes and differ', () => {
  const keys = Array.from({ length: 500 }, newKey);
  expect(new Set(keys).size).toBe(500);
  for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{8,40}$/);
});
