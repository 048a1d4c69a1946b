// A member as the page "me" shows him to himself.
const { fill, fillIf } = require('../texts/index');
const { date, dayTime } = require('../times');

const DEAD = ['used', 'redeemed', 'expired', 'revoked'];

/** Return what the page shows of the box's answer to GET /me. */
function meView(answer, t) {
  const { member } = answer;
  return {
    member: member ? memberView(member, t) : null,
    version: answer.consent_version,
    membershipText: answer.texts.membership,
    plateText: answer.texts.plate,
    coupons: answer.coupons.map((coupon) => couponView(coupon, t)),
    plates: answer.plates.map(({ id, masked }) => ({ id, masked })),
    consents: answer.consents.map((consent) => consentView(consent, t)),
  };
}

function memberView(member, t) {
  return {
    number: fillIf(t.number, { number: member.number }),
    tier: member.tier || '',
    points: String(member.points),
    pointsAt: fillIf(t.pointsAt, { time: dayTime(member.points_at) }),
    provisional: member.provisional ? t.provisional : '',
    phone: member.phone || '',
    card: fillIf(t.card, { card: member.card }),
    tags: member.tags || [],
  };
}

function couponView(coupon, t) {
  const ended = { used: t.couponUsed, redeemed: t.couponUsed, expired: t.couponExpired, revoked: t.couponExpired };
  return {
    code: coupon.code,
    qr: coupon.qr || '',
    name: coupon.name,
    what: coupon.what === 'parking' ? t.couponParking : '',
    ends: fillIf(t.couponEnds, { time: date(coupon.ends_at) }),
    state: ended[coupon.state] || '',
    // What parking promises works by itself; only a code can be shown.
    usable: Boolean(coupon.code) && !DEAD.includes(coupon.state),
  };
}

function consentView({ purpose, version, given }, t) {
  const names = { membership: t.membership, plate: t.platePurpose, messages: t.messages, points_sync: t.pointsSync };
  return {
    purpose,
    version,
    given,
    name: names[purpose] || purpose,
    words: given ? t.given : t.withdrawn,
    // Nobody withdraws from membership and stays: leaving is being erased.
    button: given ? (purpose === 'membership' ? t.erase : t.withdraw) : t.give,
  };
}

/** Return what joining brought, in a sentence. joined: {points, parked} of the box's answer. */
function joinedWords(joined, t) {
  const { points = 0, parked = false } = joined || {};
  const brought = [points ? fill(t.joinedPoints, { points }) : '', parked ? t.joinedParked : ''].filter(Boolean);
  return [t.joined, ...brought].join(' ');
}

/** Return lines of points as shown: newest first, as the box gives them. */
function pointsView(lines) {
  return lines.map((line, index) => ({
    key: `${line.at}-${index}`,
    at: line.at,
    when: dayTime(line.at),
    text: line.text || '',
    tenant: line.tenant || '',
    points: line.points > 0 ? `+${line.points}` : String(line.points),
    gain: line.points > 0,
  }));
}

module.exports = { meView, joinedWords, pointsView };
