// The page after payment as the mini-program shows it.
const { yuan } = require('../money');
const { fill, fillIf } = require('../texts/index');
const { date, hourMinute } = require('../times');
const { backView } = require('./back');

/** The cold scenes in which WeChat shows <official-account>. Source: 公众号关注组件. */
const FOLLOW_SCENES = [1011, 1017, 1025, 1047, 1124];

const SIGNS = { offer: 'gift', coupon: 'coupon', join: 'person', follow: 'bell', parking: 'car', guide: 'person', next_store: 'store' };

/** Return what the page shows of the box's answer to GET /landing/{receipt}. asked: {base, language, scene}. */
function landingView(answer, t, asked) {
  const { landing } = answer;
  const validated = parkingView(answer.parking, asked.language);
  return {
    number: fill(t.number, { number: answer.number }),
    amount: yuan(answer.total_fen),
    ...backView(answer, t),
    when: whenOf(answer.issued_iso),
    url: answer.url,
    title: landing ? own(landing, 'title', asked.language) : '',
    picture: landing ? address(asked.base, landing.picture) : '',
    blocks: landing ? landing.blocks.map((block, index) => blockView(block, index, t, { ...asked, validated })) : [],
    parking: validated,
    stays: (answer.stays || []).map((stay, index) => stayView(stay, index, t)),
    tickets: (answer.tickets || []).map((one) => ticketView(one, t, asked.language)),
  };
}

/** Goods that a cashier took the money for: where they are, and what releases them. */
function ticketView(one, t, language) {
  const where = `${own(one, 'tenant', language)} ${one.number} · ${fill(t.collectAt, { counter: one.counter })}`;
  return { key: one.number, where, code: one.release_code || (one.state === 'handed_over' ? t.handedOver : '—') };
}

/** Return a page without a receipt, as joining may end on one. */
function pageView(landing, t, asked) {
  return {
    title: own(landing, 'title', asked.language),
    picture: address(asked.base, landing.picture),
    blocks: landing.blocks.map((block, index) => blockView(block, index, t, { ...asked, validated: [] })),
  };
}

function blockView(block, index, t, { base, language, scene, validated }) {
  const follows = block.kind === 'follow' && FOLLOW_SCENES.includes(scene);
  return {
    key: String(index),
    index,
    kind: block.kind,
    sign: SIGNS[block.kind] || 'info',
    title: own(block, 'title', language),
    body: own(block, 'body', language),
    picture: address(base, block.picture),
    code: block.code || '',
    qr: block.qr || '',
    lines: (block.lines || []).map((line) => own(line, 'words', language)),
    follows,
    button: follows ? '' : buttonOf(block, t, validated),
    url: block.url || '',
  };
}

function buttonOf({ kind, url, code }, t, validated) {
  if (kind === 'join') return t.join;
  if (kind === 'parking') return validated.length ? t.parkingPay : t.parkingBind;
  if (kind === 'coupon' && code) return t.showCode;
  return url ? t.open : '';
}

function whenOf(iso) {
  const at = Date.parse(iso || '');
  return at ? `${date(at)} ${hourMinute(at)}` : '';
}

function stayView({ plate, leave_by: leaveBy }, index, t) {
  return { key: String(index), plate: plate || '—', leaveBy: fillIf(t.leaveBy, { time: hourMinute(leaveBy) }) };
}

function parkingView(parking, language) {
  const validated = (parking && parking.validated) || [];
  return validated.map((one) => own(one, 'words', language));
}

/** Return a field in the language asked for; where only one was written, that one. */
function own(thing, field, language) {
  return (language === 'en' && thing[`${field}_en`]) || thing[field] || '';
}

/** Return a picture's whole address: the box gives paths of its own. */
function address(base, picture) {
  if (!picture) return '';
  return picture.startsWith('/') ? `${base}${picture}` : picture;
}

module.exports = { landingView, pageView, FOLLOW_SCENES };
