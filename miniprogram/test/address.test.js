const address = require('../lib/address');
const { newPhone, BASE } = require('./phone');

test('a code names the box to ask, if it lies on the host of the configuration', () => {
  newPhone();
  expect(address.current()).toBe(BASE);
  expect(address.choose('https://hq.example/b/demo-mall/till-2')).toBe(true);
  expect(address.current()).toBe('https://hq.example/b/demo-mall/till-2');
});

test.each(['https://evil.example/b/demo-mall/till-1', 'http://hq.example/b/x', 'https://hq.example.evil.example', 'https://hq.example@evil.example/b', ''])(
  'a stranger at %s is not asked',
  (base) => {
    newPhone();
    expect(address.choose(base)).toBe(false);
    expect(address.current()).toBe(BASE);
  },
);

test('a developer may name any box, and codes of that box are then followed', () => {
  newPhone({ release: false });
  expect(address.override('http://127.0.0.1:8080/')).toBe(true);
  expect(address.current()).toBe('http://127.0.0.1:8080');
  expect(address.choose('http://127.0.0.1:8080/b/demo/x')).toBe(true);
});

test('the box that a developer named stands for the host of the configuration, whatever its codes say', () => {
  newPhone({ release: false });
  address.override('http://127.0.0.1:8080');
  expect(address.choose('https://hq.example/b/demo-mall/till-2')).toBe(true);
  expect(address.current()).toBe('http://127.0.0.1:8080');
  expect(address.choose('https://evil.example/b/demo-mall/till-2')).toBe(false);
});

test('a release asks no box that a launch query names, nor does a phone that cannot tell what it is', () => {
  newPhone();
  expect(address.override('http://127.0.0.1:8080')).toBe(false);
  delete global.wx.getAccountInfoSync;
  expect(address.override('http://127.0.0.1:8080')).toBe(false);
  expect(address.current()).toBe(BASE);
});
