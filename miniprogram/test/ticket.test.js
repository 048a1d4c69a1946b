const { newPhone, openPage, fixture, refused, closeAll, hurry, until, BASE } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/t/t1', () => fixture('ticket_issued'));
  phone.on('POST', '/t/t1/pay', () => fixture('payment_jsapi'));
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
});
afterEach(closeAll);

const PAID = '/pages/paid/paid?receipt=r-token&order=o-1&ticket=t1&c=way-9';

async function open() {
  return openPage('ticket', { ticket: 't1', c: 'way-9' });
}

test('a ticket shows its lines, what was asked before, offers and the amount to pay', async () => {
  const ticket = await open();
  expect(ticket.text()).toContain('桑蚕丝围巾¥128.00 原价 ¥158.00'.replace(' ', ''));
  expect(ticket.all('goods-line').length).toBe(2);
  expect(ticket.words('offer')).toBe('满 150 减停车 1 小时');
  expect(ticket.words('total')).toBe('¥167.80');
  expect(ticket.words('pay')).toBe('支付 ¥167.80');
  expect(phone.last('setNavigationBarTitle').title).toBe('专柜付款');
});

test('a phone in English is shown English and asks for it', async () => {
  phone = newPhone({ language: 'en' });
  phone.on('GET', '/t/t1', () => fixture('ticket_issued'));
  const ticket = await open();
  expect(ticket.words('pay')).toBe('Pay ¥167.80');
  expect(phone.asked('GET', '/t/t1')[0].header['Accept-Language']).toBe('en');
});

test.each([
  [false, 'http://127.0.0.1:8080'],
  [true, BASE],
])('beside an ordinary QR code a launch query may name the box to ask; in a release (%s) it may not', async (release, base) => {
  phone = newPhone({ release });
  phone.on('GET', '/t/t1', () => fixture('ticket_issued'));
  const ticket = await openPage('ticket', { q: encodeURIComponent(`${BASE}/phone/t/t1`), base: encodeURIComponent('http://127.0.0.1:8080') });
  expect(ticket.data().status).toBe('ready');
  expect(phone.calls.map((call) => call.base)).toEqual(phone.calls.map(() => base));
  expect(phone.asked('GET', '/t/t1').length).toBe(1);
});

test('an ordinary QR code opens the page of the box that printed it', async () => {
  const q = encodeURIComponent('https://hq.example/b/demo-mall/till-2/phone/t/t1?c=way-9');
  await openPage('ticket', { q, scancode_time: '1790000000' });
  expect(phone.asked('GET', '/t/t1')[0]).toMatchObject({ base: 'https://hq.example/b/demo-mall/till-2', query: 'c=way-9' });
});

test('a code of a stranger asks nobody and says that nothing was found', async () => {
  const ticket = await openPage('ticket', { q: encodeURIComponent('https://evil.example/b/x/phone/t/t1') });
  expect(phone.calls).toEqual([]);
  expect(ticket.words('state-text')).toContain('没有找到');
});

test('paying opens WeChat\'s sheet with the box\'s values, asks until the money is there, and leads on', async () => {
  let asked = 0;
  phone.on('GET', '/orders/o-1', () => {
    asked += 1;
    return fixture(asked < 3 ? 'payment_jsapi' : 'payment_paid');
  });
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => phone.left().length > 0);
  const sheet = phone.last('requestPayment');
  expect(sheet).toMatchObject({ timeStamp: '1790000000', nonceStr: 'n', package: 'prepay_id=p1', signType: 'RSA', paySign: 's' });
  expect(sheet.appId).toBeUndefined();
  expect(asked).toBe(3);
  expect(phone.left()).toEqual([PAID]);
  expect(JSON.parse(phone.storage.recent)).toMatchObject([{ order: 'o-1', receipt: 'r-token', kind: 'ticket', ticket: 't1', base: BASE }]);
});

test('a success that WeChat\'s sheet tells of is not believed while the box has no money', async () => {
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'unsure');
  expect(phone.left()).toEqual([]);
  expect(ticket.words('bar-problem')).toContain('请勿再付');
  expect(ticket.has('pay')).toBe(false);
  phone.on('GET', '/orders/o-1', () => fixture('payment_paid'));
  await ticket.tap('ask');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual([PAID]);
});

test('whoever leaves the sheet may go on or give up', async () => {
  phone.sheet = 'cancel';
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  phone.on('POST', '/orders/o-1/cancel', () => fixture('payment_jsapi', { state: 'closed', pay: null }));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'left');
  expect(ticket.words('pay')).toBe('继续支付 ¥167.80');
  await ticket.tap('give-up');
  await until(() => ticket.data().pay.phase === 'idle');
  expect(phone.asked('POST', '/orders/o-1/cancel').length).toBe(1);
  expect(ticket.words('pay')).toBe('支付 ¥167.80');
});

test('without a network a new try says so, and nothing of the payment that was given up before', async () => {
  phone.sheet = 'cancel';
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  phone.on('POST', '/orders/o-1/cancel', () => fixture('payment_jsapi', { state: 'closed', pay: null }));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'left');
  await ticket.tap('give-up');
  await until(() => ticket.data().pay.phase === 'idle');
  phone.online = false;
  await ticket.tap('pay');
  await until(() => ticket.data().pay.problem !== '');
  expect(ticket.data().pay).toMatchObject({ phase: 'idle' });
  expect(ticket.words('bar-problem')).toContain('网络不通');
});

test('a payment that went through although the sheet was left is found', async () => {
  phone.sheet = 'cancel';
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual([PAID]);
});

test('giving up what was paid meanwhile leads to the page after payment', async () => {
  phone.sheet = 'cancel';
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  phone.on('POST', '/orders/o-1/cancel', () => fixture('payment_paid'));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'left');
  await ticket.tap('give-up');
  await until(() => phone.left().length > 0);
  expect(phone.left()).toEqual([PAID]);
});

test('a sheet that fails says so and the shopper may try again', async () => {
  phone.sheet = 'total fee error';
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'failed');
  expect(ticket.words('bar-problem')).toContain('没有支付成功');
});

test('without a network after the sheet nobody is told that it failed', async () => {
  phone.on('GET', '/orders/o-1', 'offline');
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'unsure');
  expect(ticket.words('bar-problem')).toContain('还没有确认到款');
});

test('a payment that was closed begins anew', async () => {
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi', { state: 'closed', pay: null, problem: '支付超时' }));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'closed');
  expect(ticket.words('bar-problem')).toBe('支付超时');
  expect(ticket.words('pay')).toBe('支付 ¥167.80');
});

test('somebody else who pays first is told of in the box\'s words, and the ticket is looked at again', async () => {
  phone.on('POST', '/t/t1/pay', () => refused(409, 'declined', '已由别人付款'));
  const ticket = await open();
  phone.on('GET', '/t/t1', () => fixture('ticket_paid', { release_code: null }));
  await ticket.tap('pay');
  await until(() => !ticket.data().ticket.payable);
  expect(ticket.text()).toContain('这张单已由别人付款');
  expect(ticket.has('release')).toBe(false);
});

test('a second tap while the first is under way begins no second payment', async () => {
  const ticket = await open();
  await Promise.all([ticket.tap('pay'), ticket.tap('pay')]).catch(() => {});
  await until(() => phone.left().length > 0);
  expect(phone.asked('POST', '/t/t1/pay').length).toBe(1);
});

test('a phone that cannot sign in shows the code that another phone pays', async () => {
  phone.on('POST', '/login', () => refused(503, 'unavailable'));
  phone.on('POST', '/t/t1/pay', () => fixture('payment_native'));
  const ticket = await open();
  await ticket.tap('pay');
  await until(() => ticket.data().pay.phase === 'native');
  expect(ticket.qr()).toBe(fixture('payment_native').qr);
  expect(phone.last('requestPayment')).toBeUndefined();
});

test('a ticket that is being paid goes on where it was: the box is asked how', async () => {
  phone.on('GET', '/t/t1', () => fixture('ticket_issued', { state: 'paying', order_id: 'o-1' }));
  phone.on('GET', '/orders/o-1', () => fixture('payment_jsapi'));
  const ticket = await open();
  await until(() => ticket.data().pay.phase === 'left');
  expect(ticket.words('pay')).toBe('继续支付 ¥167.80');
});

test('a ticket that somebody else is paying shows no payment of ours', async () => {
  phone.on('GET', '/t/t1', () => fixture('ticket_issued', { state: 'paying', order_id: null }));
  const ticket = await open();
  expect(ticket.data().status).toBe('ready');
  expect(ticket.words('busy')).toContain('有人正在支付');
  expect([ticket.data().pay.phase, ticket.has('pay')]).toEqual(['idle', false]);
});

test.each([
  ['issued', true],
  ['paid', false],
])('a ticket that somebody else is paying is looked at again until it is %s, and no longer', async (state, free) => {
  phone.on('POST', '/t/t1/pay', () => refused(409, 'declined', '可能正在别处付款。'));
  const ticket = await open();
  phone.on('GET', '/t/t1', () => fixture('ticket_issued', { state: 'paying', order_id: null }));
  await ticket.tap('pay');
  await until(() => ticket.has('busy'));
  phone.on('GET', '/t/t1', () => fixture('ticket_issued', { state, order_id: null, release_code: null }));
  await until(() => !ticket.has('busy'));
  expect([ticket.has('pay'), ticket.data().pay.problem]).toEqual([free, '']);
  const asked = phone.asked('GET', '/t/t1').length;
  await new Promise((resolve) => {
    setTimeout(resolve, 40);
  });
  expect(phone.asked('GET', '/t/t1').length).toBe(asked);
});

test('the shopper who paid sees the collection code until the goods were handed over', async () => {
  phone.on('GET', '/t/t1', () => fixture('ticket_paid'));
  const ticket = await open();
  expect(ticket.words('release')).toBe('4821');
  expect(ticket.has('pay')).toBe(false);
  phone.on('GET', '/t/t1', () => fixture('ticket_paid', { state: 'handed_over', release_code: null }));
  await until(() => !ticket.has('release'));
  expect(ticket.text()).toContain('已提货');
});

test.each([
  ['cancelled', '导购已取消'],
  ['expired', '已过期'],
])('a ticket that was %s cannot be paid and says why', async (state, words) => {
  phone.on('GET', '/t/t1', () => fixture('ticket_issued', { state }));
  const ticket = await open();
  expect(ticket.text()).toContain(words);
  expect(ticket.has('pay')).toBe(false);
});

test('without a network the page says so and tries again on a tap', async () => {
  phone.online = false;
  const ticket = await open();
  expect(ticket.data().status).toBe('offline');
  expect(ticket.words('state-text')).toContain('网络不通');
  phone.online = true;
  await ticket.tap('state-again');
  await until(() => ticket.has('pay'));
});

test('an unknown ticket is said in the box\'s words', async () => {
  phone.on('GET', '/t/t1', () => refused(404, 'not_found', '没有这张单'));
  const ticket = await open();
  expect(ticket.words('state-text')).toBe('没有这张单');
  await ticket.tap('state-home');
  expect(phone.left()).toEqual(['/pages/home/home']);
});
