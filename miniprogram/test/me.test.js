const { newPhone, openPage, fixture, refused, closeAll, hurry, until } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/me', () => fixture('me_member'));
});
afterEach(closeAll);

const nobody = () => phone.on('GET', '/me', () => fixture('me_nobody'));

test('a member sees points, coupons, plates and consents, all masked as the box masks them', async () => {
  const me = await openPage('me');
  expect(me.words('points')).toBe('1280');
  expect(me.words('phone')).toBe('138****8000');
  expect(me.text()).toContain('粤B·**345');
  expect(me.all('consent').map((one) => one.textContent)).toEqual(['删除我的资料', '同意']);
});

test('joining needs a tick that nobody has set beforehand, and no phone number', async () => {
  nobody();
  phone.on('POST', '/me/join', () => fixture('me_joined'));
  const me = await openPage('me');
  expect(me.text()).toContain('用于积分与停车');
  await me.tap('join-now');
  expect(phone.toast()).toContain('请先勾选');
  expect(phone.asked('POST', '/me/join')).toEqual([]);
  expect(me.has('join-phone')).toBe(false);
  await me.send('join-agree', 'change', { value: ['agreed'] });
  await me.tap('join-now');
  await until(() => me.has('points'));
  expect(phone.asked('POST', '/me/join')[0].body).toEqual({ consent_version: '2026-11' });
  expect(phone.toast()).toBe('已是会员 +128 积分 停车已减免');
  expect(me.words('landing-title')).toBe('欢迎入会');
  await me.tap('block-button');
  expect(phone.left()).toEqual(['/pages/home/home?touchpoint=tea']);
});

test('what a browser joined as is taken over, for a member too, and for the purchase that led here', async () => {
  phone.on('POST', '/me/join', () => fixture('me_joined'));
  const q = encodeURIComponent('https://hq.example/b/demo-mall/till-1/phone/me?m=abc_1');
  const me = await openPage('me', { q });
  expect(me.has('points')).toBe(true);
  await me.send('join-agree', 'change', { value: ['agreed'] });
  await me.tap('join-now');
  await until(() => !me.has('join-now'));
  expect(phone.asked('POST', '/me/join')[0].body).toEqual({ consent_version: '2026-11', link: 'abc_1' });
});

test('a plate that is bound after a purchase is told which one', async () => {
  phone.on('POST', '/me/plates', () => fixture('me_member'));
  const me = await openPage('me', { receipt: 'r1' });
  await me.send('plate-input', 'input', { value: '粤B12345' });
  await me.send('plate-agree', 'change', { value: ['agreed'] });
  await me.tap('bind');
  await until(() => me.data().plate === '');
  expect(phone.asked('POST', '/me/plates')[0].body.receipt).toBe('r1');
});

test('whoever wants to may join with the phone number; declining it does nothing', async () => {
  nobody();
  phone.on('POST', '/me/join', () => fixture('me_member'));
  const me = await openPage('me');
  await me.send('join-agree', 'change', { value: ['agreed'] });
  await me.send('join-phone', 'getphonenumber', { errMsg: 'getPhoneNumber:fail user deny' });
  expect(phone.asked('POST', '/me/join')).toEqual([]);
  await me.send('join-phone', 'getphonenumber', { code: 'pc-1' });
  await until(() => me.has('points'));
  expect(phone.asked('POST', '/me/join')[0].body).toEqual({ consent_version: '2026-11', phone_code: 'pc-1' });
});

test('a member without a phone number may add one', async () => {
  const { member } = fixture('me_member');
  phone.on('GET', '/me', () => fixture('me_member', { member: { ...member, phone: null } }));
  phone.on('POST', '/me/phone', () => fixture('me_member'));
  const me = await openPage('me');
  await me.send('phone-add', 'getphonenumber', { code: 'pc-2' });
  await until(() => me.has('phone'));
  expect(phone.asked('POST', '/me/phone')[0].body).toEqual({ code: 'pc-2' });
});

test('a member who joined without HQ is told that it is being confirmed', async () => {
  const { member } = fixture('me_member');
  phone.on('GET', '/me', () => fixture('me_member', { member: { ...member, number: '', provisional: true } }));
  const me = await openPage('me');
  expect(me.words('provisional')).toContain('正在确认');
});

test('a coupon opens as a QR code and closes again', async () => {
  const me = await openPage('me');
  await me.tap('coupon-show');
  expect(me.qr()).toBe(fixture('me_member').coupons[0].qr);
  await me.tap('coupon-show');
  expect(me.has('qr-picture')).toBe(false);
});

test('what parking promises is said to work by itself', async () => {
  const me = await openPage('me');
  expect(me.all('coupon-show').length).toBe(1);
  expect(me.text()).toContain('出场时自动使用');
});

test('a coupon that was used shows no code', async () => {
  const { coupons } = fixture('me_member');
  phone.on('GET', '/me', () => fixture('me_member', { coupons: [{ ...coupons[0], state: 'used' }] }));
  const me = await openPage('me');
  expect(me.has('coupon-show')).toBe(false);
  expect(me.text()).toContain('已使用');
});

test('a plate is bound with its own consent, once, and can be taken away', async () => {
  phone.on('POST', '/me/plates', () => fixture('me_member'));
  phone.on('POST', '/me/plates/p-1/remove', () => fixture('me_member', { plates: [] }));
  const me = await openPage('me');
  await me.send('plate-input', 'input', { value: '粤b12345' });
  await me.tap('bind');
  expect(phone.toast()).toContain('请先勾选');
  await me.send('plate-agree', 'change', { value: ['agreed'] });
  await me.tap('bind');
  await until(() => me.data().plate === '');
  const [{ body }] = phone.asked('POST', '/me/plates');
  expect(body).toMatchObject({ plate: '粤B12345', consent_version: '2026-11' });
  expect(body.key).toMatch(/^[\w-]{8,40}$/);
  expect(me.data().plateAgreed).toBe(false);
  await me.tap('unbind');
  await until(() => me.data().me.plates.length === 0);
});

test('a plate that is none is refused in the box\'s words and stays to be corrected', async () => {
  phone.on('POST', '/me/plates', () => refused(400, 'invalid', '这不是车牌'));
  const me = await openPage('me');
  await me.send('plate-input', 'input', { value: 'X' });
  await me.send('plate-agree', 'change', { value: ['agreed'] });
  await me.tap('bind');
  await until(() => phone.toast());
  expect([phone.toast(), me.data().plate]).toEqual(['这不是车牌', 'X']);
});

test('a consent can be given and taken back, in the version that it is about; that cars are unbound is asked first', async () => {
  phone.on('POST', '/me/consent', ({ body }) => fixture('me_member', { consents: [{ ...body }] }));
  const me = await openPage('me');
  await me.tap('consent', 1);
  await until(() => me.data().me.consents.length === 1);
  await until(() => !me.page.instance.acting);
  phone.modal = false;
  await me.tap('consent', 0);
  expect(phone.last('showModal').content).toContain('解绑');
  phone.modal = true;
  await me.tap('consent', 0);
  await until(() => phone.asked('POST', '/me/consent').length === 2);
  expect(phone.asked('POST', '/me/consent').map((one) => one.body)).toEqual([
    { purpose: 'plate', version: '2026-11', given: true },
    { purpose: 'plate', version: '2026-11', given: false },
  ]);
});

test('whoever takes membership back is offered to be erased, and tells the box nothing before', async () => {
  const me = await openPage('me');
  phone.modal = false;
  await me.tap('consent', 0);
  expect(phone.last('showModal')).toMatchObject({ title: '删除我的资料' });
  expect(phone.calls.filter((one) => one.method === 'POST' && one.path.includes('/me/'))).toEqual([]);
});

test('points are listed with more on request, each page from where the last ended', async () => {
  phone.on('GET', '/me/points', () => fixture('points'));
  const me = await openPage('me');
  await me.tap('history');
  await until(() => me.has('more-history'));
  expect(me.text()).toContain('+128');
  expect(me.text()).toContain('-100');
  phone.on('GET', '/me/points', () => fixture('points', { more: false }));
  await me.tap('more-history');
  await until(() => me.data().history.length === 4);
  expect(phone.asked('GET', '/me/points').map((one) => one.query)).toEqual(['', 'before=1780000000000']);
  expect(me.has('more-history')).toBe(false);
});

test('all that the box has of the member is given to the clipboard', async () => {
  phone.on('GET', '/me/export', { member: { number: 'M0001' } });
  const me = await openPage('me');
  await me.tap('export');
  await until(() => phone.toast());
  expect(JSON.parse(phone.last('setClipboardData').data)).toEqual({ member: { number: 'M0001' } });
  expect(phone.toast()).toContain('已复制');
});

test('erasing asks first; afterwards the phone is a new one', async () => {
  phone.on('POST', '/me/erase', () => ({ status: 204, body: '' }));
  const me = await openPage('me');
  phone.modal = false;
  await me.tap('erase');
  expect(phone.last('showModal').content).toContain('不能恢复');
  expect(phone.asked('POST', '/me/erase')).toEqual([]);
  phone.modal = true;
  nobody();
  await me.tap('erase');
  await until(() => me.has('join-now'));
  expect(phone.asked('POST', '/me/erase')[0].body).toEqual({ confirm: true });
  expect(phone.loginCodes).toBe(2);
});
