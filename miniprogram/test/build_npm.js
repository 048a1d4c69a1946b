// What "build npm" of WeChat DevTools does for the one dependency, without DevTools: npm run build-npm.
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const from = path.join(root, 'node_modules', 'qrcode-generator');
const to = path.join(root, 'miniprogram_npm', 'qrcode-generator');

/** Return the text that belongs into miniprogram_npm. */
function built() {
  const { main, version, license } = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
  const source = fs.readFileSync(path.join(from, main), 'utf8');
  return `// qrcode-generator ${version}, ${license} license, unchanged. Built by npm run build-npm; do not edit.\n${source}`;
}

if (require.main === module) {
  fs.mkdirSync(to, { recursive: true });
  fs.writeFileSync(path.join(to, 'index.js'), built());
}

module.exports = { built, target: path.join(to, 'index.js') };
