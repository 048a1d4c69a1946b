// What the phone itself says, in both languages.

const WORDS = {
  wechat: ["微信", "WeChat"], simulated: ["模拟", "simulated"], whose: ["这是谁的手机", "Whose phone"], newWallet: ["新钱包", "New wallet"],
  scan: ["扫一扫", "Scan"], paste: ["粘贴链接", "Paste a link"], open: ["打开", "Open"], opensIn: ["链接打开于", "Links open in"],
  program: ["小程序", "Mini-program"], browser: ["浏览器", "Browser"], mall: ["商场", "The mall"], messages: ["服务通知", "Messages"],
  none: ["还没有消息", "No messages yet"], settings: ["手机设置", "Phone"], types: ["输密码", "Types the password"], atOnce: ["马上", "At once"],
  slowly: ["慢 8 秒", "8 s late"], network: ["网络", "Network"], on: ["开", "On"], off: ["关", "Off"], pointAt: ["选一个此刻在商场里看得到的码", "Choose a code that is to be seen in the mall now"],
  use: ["确定", "Use"], camera: ["摄像头", "Camera"], picture: ["相册图片", "Picture"], look: ["再看一遍", "Look again"], wrong: ["小程序有错", "The mini-program is wrong"],
  typed: ["条码、链接或 weixin://…", "Barcode, link or weixin://…"], screen: ["屏幕上", "On screens"], tablet: ["导购平板", "Guides' tablets"], slip: ["小票上", "On slips"], lane: ["车道", "Lanes"],
  touchpoint: ["触点", "Touchpoints"], wall: ["海报", "Posters"], goods: ["货架商品", "Goods on the shelf"], nothing: ["没有看到码", "No code to be seen"],
  noCode: ["图片里没有码", "No code in that picture"], noCamera: ["这里没有摄像头", "There is no camera here"], cannotOpen: ["这个码打不开任何东西", "That code opens nothing"],
  payTo: ["付款给", "Pay"], password: ["请输入支付密码（正确的是 123456）", "Type the password (123456 is right)"], wrongPassword: ["密码错误，还可试 {n} 次", "Wrong password, tries left: {n}"],
  paid: ["支付成功", "Paid"], done: ["完成", "Done"], failed: ["支付失败", "Not paid"], sending: ["正在支付…", "Paying…"], ok: ["确定", "OK"], cancel: ["取消", "Cancel"], allow: ["允许", "Allow"], deny: ["拒绝", "Refuse"],
  askNumber: ["申请获取并验证你的手机号", "asks for your phone number"], askSubscription: ["申请给你发送以下一次性消息", "asks to send you these messages, once each"],
  refresh: ["下拉刷新", "Pull down"], noRefresh: ["这一页不能下拉刷新", "This page cannot be pulled down"], toHome: ["返回首页", "To its first page"], where: ["这是哪一页", "Which page is this"], inBrowser: ["在浏览器打开", "Open in the browser"],
  inProgram: ["在小程序打开", "Open in the mini-program"], readPage: ["识别图中二维码", "Read the QR code on the page"], follow: ["关注公众号（模拟）", "Follow the account (simulated)"],
  holdUp: ["对准扫码器…", "Hold up to a scanner…"], beep: ["滴，已扫", "Beep: scanned"],
  copied: ["已复制", "Copied"], lostNetwork: ["模拟微信没有应答", "The simulated WeChat does not answer"], noNumber: ["额度用完", "quota used up"],
};

/** Return a text in "zh" or "en"; a key that is not here is its own text. */
export function word(key, language) {
  return WORDS[key]?.[language === "en" ? 1 : 0] ?? key;
}
