// Which of the two languages a phone is shown.

const KEY = 'language';
const LANGUAGES = ['zh', 'en'];

/** Return "zh" or "en": what was chosen here, else WeChat's own language. */
function current() {
  const kept = wx.getStorageSync(KEY);
  if (LANGUAGES.includes(kept)) return kept;
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
  return /^zh/i.test((info && info.language) || 'zh') ? 'zh' : 'en';
}

/** Show this language from now on. */
function choose(language) {
  wx.setStorageSync(KEY, language);
}

/** Return the other one. */
function other(language) {
  return language === 'zh' ? 'en' : 'zh';
}

module.exports = { current, choose, other };
