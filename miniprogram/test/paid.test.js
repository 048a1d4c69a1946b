const { newPhone, openPage, fixture, refused, closeAll, hurry, until, BASE } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  answers();
});
afterEach(closeAll);

function answers() {
  phone.on('GET', '/landing/r1', () => fixture('landing'));
  phone.on('POST', '/landing/r1/touch', () => ({ status: 204, body: '' }));
  phone.on('GET', '/me', () => fixture('me_nobody'));
}

const open = (more = {}) => openPage('paid', { receipt: 'r1', order: 'o-1', ...more });
const touched = () => phone.asked('POST', '/landing/r1/touch').map((one) => one.body);
const blockButton = (paid, words) => paid.all('block-button').findIndex((one) => one.textContent === words);

test('the page says what was paid, shows the tenant\'s blocks and tells the box that it was opened', async () => {
  const paid = await open();
  expect(paid.words('paid-amount')).toBe('¥167.80');
  const issued = new Date(Date.UTC(2026, 10, 22, 1, 5));
  expect(paid.text()).toContain(`22 ${String(issued.getHours()).padStart(2, '0')}:05`);
  expect(paid.words('landing-title')).toBe('谢谢惠顾');
  expect(paid.data().page.picture).toBe(`${BASE}/phone/pictures/top.jpg`);
  expect(paid.text()).toContain('为您服务：小林');
  expect(paid.words('validated')).toContain('停车减免 1 小时');
  expect(touched()).toEqual([{ touchpoint: 'opened' }]);
});

test('whoever paid at a till sees what releases the goods at each counter', async () => {
  const ticket = { number: 'C01-0030', counter: 'C01', tenant: '麦香坊', tenant_en: 'Bakery', total_fen: 500, release_code: '363491', state: 'paid' };
  const gone = { ...ticket, number: 'C02-0028', counter: 'C02', release_code: null, state: 'handed_over' };
  phone.on('GET', '/landing/r1', () => fixture('landing', { tickets: [ticket, gone] }));
  const paid = await open();
  expect(paid.words('tickets')).toContain('麦香坊 C01-0030 · 到 C01 提货');
  expect(paid.words('tickets')).toContain('363491');
  expect(paid.words('tickets')).toContain('已提货');
});

test('in English the tenant\'s English is shown', async () => {
  phone = newPhone({ language: 'en' });
  answers();
  const paid = await open();
  expect(paid.words('landing-title')).toBe('Thank you');
  expect(paid.text()).toContain('Served by Lin');
  expect(paid.words('validated')).toContain('1 hour of parking off');
});

test('the shopper joins on this page, for this order, without a phone number', async () => {
  phone.on('POST', '/me/join', () => fixture('me_joined'));
  const paid = await open();
  await paid.tap('block-button', blockButton(paid, '加入会员'));
  await paid.send('join-agree', 'change', { value: ['agreed'] });
  await paid.tap('join-now');
  await until(() => paid.has('is-member'));
  expect(phone.asked('POST', '/me/join')[0].body).toEqual({ consent_version: '2026-11', receipt: 'r1' });
  expect(phone.toast()).toBe('已是会员 +128 积分 停车已减免');
  expect(paid.words('is-member')).toContain('1280');
  expect(paid.has('join-now')).toBe(false);
  expect(touched()).toContainEqual({ touchpoint: 'join', block: 1 });
});

test('a member is not asked to join again', async () => {
  phone.on('GET', '/me', () => fixture('me_member'));
  const paid = await open();
  expect(paid.has('is-member')).toBe(true);
  expect(blockButton(paid, '加入会员')).toBe(-1);
});

test('the official account is offered only in scenes where WeChat shows it', async () => {
  const shown = await open();
  expect(shown.page.dom.querySelector('wx-official-account')).not.toBeNull();
  phone = newPhone({ scene: 1001 });
  answers();
  const hidden = await open();
  expect(hidden.page.dom.querySelector('wx-official-account')).toBeNull();
  expect(hidden.text()).toContain('关注我们');
});

test('parking that this purchase has not validated asks whose car it is for; else it can be paid', async () => {
  const validated = await open();
  await validated.tap('block-button', blockButton(validated, '停车缴费'));
  const { parking } = fixture('landing');
  phone.on('GET', '/landing/r1', () => fixture('landing', { parking: { ...parking, validated: [] } }));
  const unbound = await open();
  await unbound.tap('block-button', blockButton(unbound, '绑定车牌'));
  expect(phone.left()).toEqual(['/pages/parking/parking?c=way-7', '/pages/me/me?receipt=r1&c=way-7']);
});

test('a coupon opens as a QR code', async () => {
  const coupon = fixture('landing').landing.blocks.find((one) => one.code === 'CP-9');
  const paid = await open();
  await paid.tap('block-button', blockButton(paid, '出示'));
  expect(paid.qr()).toBe(coupon.qr);
});

test('our own addresses open pages, others are copied; both are told to the box', async () => {
  const paid = await open();
  const opens = paid.all('block-button').map((one, index) => [one.textContent, index]).filter(([words]) => words === '打开');
  await paid.tap('block-button', opens[0][1]);
  expect(phone.left()).toEqual(['/pages/home/home?touchpoint=tea&c=way-7']);
  await paid.tap('block-button', opens[1][1]);
  expect(phone.last('setClipboardData').data).toBe('https://shop.example/');
  expect(touched().slice(1)).toEqual([{ touchpoint: 'next_store', block: 6 }, { touchpoint: 'offer', block: 7 }]);
});

test('after scan and go the exit code is one tap away', async () => {
  const paid = await open({ exit: '1' });
  await paid.tap('exit');
  expect(phone.left()).toEqual(['/pages/exit/exit?order=o-1&c=way-7']);
});

test('after a counter\'s ticket the collection code is here until the goods were handed over', async () => {
  phone.on('GET', '/t/t1', () => fixture('ticket_paid'));
  const paid = await open({ ticket: 't1' });
  expect(paid.words('release')).toBe('4821');
  phone.on('GET', '/t/t1', () => fixture('ticket_paid', { state: 'handed_over', release_code: null }));
  await until(() => paid.has('handed-over'));
  expect(paid.has('release')).toBe(false);
});

test.each([
  ['accept', '好的，会通知您'],
  ['reject', '好的，不会打扰您'],
])('messages are asked for on a tap, once, and the box is told of %s', async (said, words) => {
  phone.subscribe = { 'tmpl-paid': said };
  phone.on('POST', '/subscribe', () => ({ status: 204, body: '' }));
  const paid = await open();
  expect(phone.last('requestSubscribeMessage')).toBeUndefined();
  await paid.tap('subscribe');
  await until(() => phone.asked('POST', '/subscribe').length === 1);
  expect(phone.last('requestSubscribeMessage').tmplIds).toEqual(['tmpl-paid']);
  expect(phone.asked('POST', '/subscribe')[0].body).toEqual({ order_id: 'o-1', templates: { 'tmpl-paid': said } });
  expect(phone.toast()).toBe(words);
  expect(paid.has('subscribe')).toBe(false);
});

test('a box that sends no messages asks for none', async () => {
  phone.on('POST', '/login', () => fixture('login', { templates: [] }));
  const paid = await open();
  expect(paid.has('subscribe')).toBe(false);
});

test('the page stands although what adds to it does not answer', async () => {
  phone.on('GET', '/me', () => refused(503, 'unavailable'));
  phone.on('POST', '/landing/r1/touch', 'offline');
  const paid = await open();
  expect(paid.data().status).toBe('ready');
  expect(paid.words('landing-title')).toBe('谢谢惠顾');
});

test('a receipt without a landing page is a receipt all the same', async () => {
  phone.on('GET', '/landing/r1', () => fixture('landing', { landing: null, parking: null }));
  const paid = await open();
  expect(paid.words('paid-amount')).toBe('¥167.80');
  expect(paid.has('landing')).toBe(false);
  await paid.tap('whole-receipt');
  expect(phone.last('setClipboardData').data).toContain('/phone/r/r-token');
});

test('a receipt that was scanned opens this page too, without what only the payer sees', async () => {
  const paid = await openPage('paid', { q: encodeURIComponent(`${BASE}/phone/r/r1`) });
  expect(paid.words('paid-amount')).toBe('¥167.80');
  expect(paid.has('exit') || paid.has('release') || paid.has('subscribe')).toBe(false);
});

test('who paid parking sees which car it was for and until when to leave', async () => {
  phone.on('GET', '/landing/r1', () => fixture('landing', { stays: [{ plate: '粤B·**345', leave_by: Date.now() + 900000 }] }));
  const paid = await open();
  expect(paid.words('paid-stay')).toMatch(/^粤B·\*\*345请在 \d\d:\d\d 前出场$/);
});

test('a member is not invited to join any more', async () => {
  const { title } = fixture('landing').landing.blocks.find((block) => block.kind === 'join');
  const before = await open();
  expect(before.text()).toContain(title);
  phone.on('GET', '/me', () => fixture('me_member'));
  const paid = await open();
  await until(() => paid.has('is-member'));
  expect(paid.text()).not.toContain(title);
});
