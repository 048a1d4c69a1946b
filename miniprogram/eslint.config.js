const js = require('@eslint/js');

const known = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

module.exports = [
  { ignores: ['node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2018,
      sourceType: 'commonjs',
      globals: known(['wx', 'App', 'Page', 'Component', 'getCurrentPages', 'console', 'setTimeout', 'clearTimeout', 'require', 'module']),
    },
    rules: { complexity: ['error', 10], 'max-lines-per-function': ['error', 230], eqeqeq: 'error', 'prefer-const': 'error', 'no-var': 'error' },
  },
  {
    files: ['test/**/*.js', 'eslint.config.js'],
    languageOptions: {
      ecmaVersion: 2021,
      globals: known(['global', 'document', '__dirname', 'process', 'test', 'expect', 'beforeEach', 'afterEach', 'jest']),
    },
  },
];
