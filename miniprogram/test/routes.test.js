const { routeOfUrl, routeOfTarget, routeOfScene, routeOfLaunch, pathOf } = require('../lib/routes');

const BOX = 'https://hq.example/b/demo-mall/till-1';
const SIGNED = 'A'.repeat(31);

test.each([
  ['/phone/t/tok', 'ticket', { ticket: 'tok' }],
  ['/phone/k/tok', 'kiosk', { code: 'tok' }],
  ['/phone/shop', 'shop', {}],
  ['/phone/exit/o-1', 'exit', { order: 'o-1' }],
  ['/phone/me', 'me', {}],
  ['/phone/me?m=code_1', 'me', { link: 'code_1' }],
  ['/phone/parking', 'parking', {}],
  ['/phone/parking?plate=%E7%B2%A4B12345', 'parking', { plate: '粤B12345' }],
  ['/phone/parking/lane/exit%201', 'parking', { lane: 'exit 1' }],
  ['/phone/p/tok', 'parking', { ticket: 'tok' }],
  ['/phone/parking/tok', 'parking', { ticket: 'tok' }],
  ['/phone/r/tok', 'paid', { receipt: 'tok' }],
  ['/phone/go/door-3', 'home', { touchpoint: 'door-3' }],
])('%s of any box is page %s', (path, page, params) => {
  const c = path.includes('?') ? '&c=way-1' : '?c=way-1';
  expect(routeOfUrl(`${BOX}${path}${c}`)).toEqual({ base: BOX, page, params, c: 'way-1' });
  expect(routeOfTarget(path)).toEqual({ base: '', page, params, c: '' });
});

test.each(['', 'hello', '6901234567892', 'https://hq.example/other/t/x', 'https://hq.example/phone/nothing/here', 'weixin://x/phone/t/1'])(
  '%s is no address of a page',
  (text) => {
    expect(routeOfUrl(text)).toBeNull();
  },
);

test('a way that is no correlation id is dropped, not carried on', () => {
  expect(routeOfUrl(`${BOX}/phone/t/tok?c=${encodeURIComponent('<x>')}`).c).toBe('');
});

test('the address in an ordinary QR code is decoded once, so that what it had encoded stays encoded in it', () => {
  const q = encodeURIComponent(`${BOX}/phone/parking/lane/a%20b?c=w`);
  expect(routeOfLaunch({ q, scancode_time: '1790000000' })).toEqual({
    base: BOX,
    page: 'parking',
    params: { lane: 'a b' },
    c: 'w',
    scannedAt: 1790000000000,
  });
});

test('the scene of a mini-program code is a signed code by its letter, else a touchpoint', () => {
  expect(routeOfScene(`t${SIGNED}`)).toMatchObject({ page: 'ticket', params: { ticket: `t${SIGNED}` } });
  expect(routeOfScene(`k${SIGNED}`)).toMatchObject({ page: 'kiosk', params: { code: `k${SIGNED}` } });
  expect(routeOfScene('door-3')).toMatchObject({ page: 'home', params: { touchpoint: 'door-3' } });
  expect(routeOfScene('no such/thing')).toBeNull();
  expect(routeOfLaunch({ scene: encodeURIComponent(`t${SIGNED}`) }).params).toEqual({ ticket: `t${SIGNED}` });
});

test('a page that is opened by path keeps its own values, and c and base are none of them', () => {
  const asked = routeOfLaunch({ ticket: 'tok', c: 'way-1', base: encodeURIComponent('http://127.0.0.1:8080') });
  expect(asked).toEqual({ base: '', override: 'http://127.0.0.1:8080', page: '', params: { ticket: 'tok' }, c: 'way-1' });
});

test('the box that a developer names is kept beside a code', () => {
  const base = encodeURIComponent('http://127.0.0.1:8080');
  const asked = routeOfLaunch({ q: encodeURIComponent(`${BOX}/phone/t/tok`), base });
  expect(asked).toMatchObject({ base: BOX, override: 'http://127.0.0.1:8080', page: 'ticket', params: { ticket: 'tok' } });
  expect(routeOfLaunch({ scene: 'door-3', base })).toMatchObject({ override: 'http://127.0.0.1:8080', params: { touchpoint: 'door-3' } });
  expect(routeOfLaunch({ q: 'hello', base })).toMatchObject({ override: 'http://127.0.0.1:8080', unknown: 'hello' });
});

test('what leads nowhere says so, and text that is encoded badly breaks nothing', () => {
  expect(routeOfLaunch({ q: 'https%3A%2F%2Felsewhere.example%2Fx' })).toMatchObject({ page: '', unknown: 'https://elsewhere.example/x' });
  expect(routeOfLaunch({ q: '%E0%A4%A' }).unknown).toBe('%E0%A4%A');
  expect(routeOfLaunch(undefined)).toMatchObject({ page: '', params: {}, c: '' });
});

test('a path to a page encodes its values and leaves out empty ones', () => {
  expect(pathOf('parking', { plate: '粤B1', lane: '' }, 'w')).toBe('/pages/parking/parking?plate=%E7%B2%A4B1&c=w');
  expect(pathOf('home', {}, '')).toBe('/pages/home/home');
});
