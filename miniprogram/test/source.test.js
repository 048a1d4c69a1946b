// What WeChat DevTools would find wrong only on a phone, and what simulators rely on: README.md, "What of WXML and wx is used".
const fs = require('fs');
const os = require('os');
const path = require('path');
const compiler = require('miniprogram-compiler');
const { ALL, ALSO } = require('../lib/texts/index');

const root = path.join(__dirname, '..');
const read = (...parts) => fs.readFileSync(path.join(root, ...parts), 'utf8');
const json = (...parts) => JSON.parse(read(...parts));
const names = (folder) => fs.readdirSync(path.join(root, folder));

const PAGES = names('pages').map((name) => [name, path.join('pages', name, name)]);
const PARTS = names('components').map((name) => [name, path.join('components', name, name)]);
const ELEMENTS = ['view', 'text', 'image', 'button', 'input', 'checkbox', 'checkbox-group', 'label', 'block', 'slot', 'official-account'];
const ATTRIBUTES = [
  /^wx:(if|elif|else|for|for-item|for-index|key)$/,
  /^(bindtap|catchtap|bindinput|bindconfirm|bindchange|bindgetphonenumber)$/,
  /^(class|src|mode|disabled|loading|open-type|value|type|placeholder|maxlength|confirm-type|checked|color)$/,
  /^(data-[a-z-]+|aria-[a-z]+)$/,
];

/** The start tags of a WXML text: [{tag, attributes: {name: value}}]. */
function tags(wxml) {
  return [...wxml.matchAll(/<([a-z-]+)((?:\s+[a-z:-]+(?:="[^"]*")?)*)\s*\/?>/g)].map(([, tag, rest]) => ({
    tag,
    attributes: Object.fromEntries([...rest.matchAll(/([a-z:-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, value || ''])),
  }));
}

function bracketed(wxml) {
  return [...wxml.matchAll(/\{\{(.*?)\}\}/gs)].map(([, text]) => text);
}

test('the pages of app.json are the ones that there are', () => {
  expect(json('app.json').pages.slice().sort()).toEqual(PAGES.map(([name]) => `pages/${name}/${name}`).sort());
});

test.each([...PAGES, ...PARTS])('%s keeps to the part of WXML that the README names', (name, file) => {
  const wxml = read(`${file}.wxml`);
  const { usingComponents } = json(`${file}.json`);
  const found = tags(wxml);
  expect(found.length).toBe((wxml.match(/<[a-z]/g) || []).length);
  for (const { tag, attributes } of found) {
    const own = usingComponents[tag];
    expect([tag, Boolean(own) || ELEMENTS.includes(tag)]).toEqual([tag, true]);
    if (own) continue;
    for (const one of Object.keys(attributes)) expect([one, ATTRIBUTES.some((allowed) => allowed.test(one))]).toEqual([one, true]);
  }
  for (const text of bracketed(wxml)) {
    const rest = text.replace(/'[^']*'/g, ' ').replace(/===|!==|<=|>=|&&|\|\||[!<>+\-?:()[\]]/g, ' ');
    for (const word of rest.trim().split(/\s+/)) expect([text, /^([A-Za-z][\w.]*|\d+)$/.test(word)]).toEqual([text, true]);
    expect([text, /[A-Za-z]\(/.test(text)]).toEqual([text, false]);
  }
});

test.each([...PAGES, ...PARTS])('every tap of %s has its method', (name, file) => {
  const source = [`${file}.js`, 'lib/screen.js', 'lib/paying.js'].map((one) => read(one)).join('\n');
  for (const { attributes } of tags(read(`${file}.wxml`)))
    for (const [one, handler] of Object.entries(attributes))
      if (/^(bind|catch)/.test(one)) expect([handler, new RegExp(`(^|\\s)(async )?${handler}\\(`, 'm').test(source)]).toEqual([handler, true]);
});

test.each([...PAGES, ...PARTS])('the styles of %s keep to px and to classes', (name, file) => {
  const styles = ['app.wxss', `${file}.wxss`].map((one) => read(one)).join('\n');
  expect(styles).not.toMatch(/rpx|@import|#[a-z][\w-]*\s*\{/i);
});

const onX86 = process.arch === 'x64' && process.platform === 'linux';

(onX86 ? test : test.skip)('WeChat\'s own compiler takes the styles', () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'styles-'));
  try {
    const files = ['app', ...PAGES.map(([, file]) => file), ...PARTS.map(([, file]) => file)];
    for (const file of files.flatMap((one) => [`${one}.json`, `${one}.wxss`, `${one}.wxml`]).filter((one) => one !== 'app.wxml')) {
      fs.mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
      fs.copyFileSync(path.join(root, file), path.join(copy, file));
    }
    const compiled = compiler.wxssToJs(copy);
    for (const file of files) expect([file, compiled.includes(`${file}.wxss`)]).toEqual([file, true]);
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
});

test('both languages say the same things, with the same values in them', () => {
  const shape = (texts) =>
    Object.entries(texts).flatMap(([page, own]) => Object.entries(own).map(([name, text]) => [page, name, (text.match(/\{\w+\}/g) || []).sort().join()]));
  expect(shape(ALL.en)).toEqual(shape(ALL.zh));
});

test('every text that a page shows is there', () => {
  for (const [name, file] of PAGES) {
    const { usingComponents } = json(`${file}.json`);
    const parts = Object.values(usingComponents).map((one) => read(`${one.slice(1)}.wxml`));
    const known = { ...ALL.zh.shared, ...ALL.zh[ALSO[name]], ...ALL.zh[name] };
    const used = [read(`${file}.wxml`), ...parts].flatMap((wxml) => bracketed(wxml)).flatMap((text) => text.match(/\bt\.\w+/g) || []);
    for (const one of used) expect([name, one, one.slice(2) in known]).toEqual([name, one, true]);
  }
});

test('every text is used somewhere', () => {
  const files = ['lib', 'lib/views', ...PAGES.map(([name]) => `pages/${name}`), ...PARTS.map(([name]) => `components/${name}`)];
  const sources = files.flatMap((folder) => names(folder).filter((one) => /\.(js|wxml)$/.test(one)).map((one) => read(folder, one))).join('\n');
  for (const own of Object.values(ALL.zh))
    for (const name of Object.keys(own)) expect([name, new RegExp(`\\bt\\.${name}\\b`).test(sources)]).toEqual([name, true]);
});

test('there is no secret and no registry\'s address in what is committed', () => {
  expect(json('project.config.json').appid).toBe('touristappid');
  expect(Object.keys(require('../config'))).toEqual(['base']);
  expect(read('package-lock.json')).not.toMatch(/"resolved"|registry/);
});

test('nothing of others is shipped: packages are for the tests, and none is pasted', () => {
  expect(json('package.json').dependencies).toBeUndefined();
  expect(fs.existsSync(path.join(root, 'miniprogram_npm'))).toBe(false);
});

test('no module asks for anything but modules of this folder', () => {
  const files = ['app.js', 'config.js', ...names('lib').filter((one) => one.endsWith('.js')).map((one) => `lib/${one}`)];
  const all = [...files, ...PAGES.map(([, file]) => `${file}.js`), ...PARTS.map(([, file]) => `${file}.js`)];
  for (const file of all)
    for (const [, asked] of read(file).matchAll(/require\('([^']+)'\)/g)) expect([file, asked, asked.startsWith('.')]).toEqual([file, asked, true]);
});

test('a QR code is the picture that the box sent', () => {
  expect(tags(read('components/qr-code/qr-code.wxml'))).toEqual([
    expect.objectContaining({ tag: 'image', attributes: expect.objectContaining({ src: '{{picture}}', 'aria-label': '{{label}}' }) }),
  ]);
});
