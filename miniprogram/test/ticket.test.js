const { newPhone, openPage, fixture, hurry, until } = require('./phone');

let phone;

beforeEach(() => {
  hurry();
  phone = newPhone();
  phone.on('GET', '/t/t1', () => fixture('ticket_issued'));
  phone.on('POST', '/t/t1/pay', () => fixture('payment_jsapi'));
});

test('a ticket shows its lines, what they cost before, offers and the amount to pay', async () => {
  const ticket = await openPage('ticket', { ticket: 't1' });
  console.log(ticket.text(), JSON.stringify(ticket.data().ticket));
  console.log(ticket.page.dom.innerHTML);
});
