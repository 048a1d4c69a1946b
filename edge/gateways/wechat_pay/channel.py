"""Calls and what their answers are worth: verified or not, refused for good or only for now.

Two rules, one for each kind of call. `ask`: only a verified answer counts, anything else is Unavailable.
`act` (money or points move): what surely was not sent is Unavailable, a verified refusal is Refused, and
everything between is OutcomeUnknown. Both kinds are safe to repeat under the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from edge.errors import Declined, OutcomeUnknown, Unavailable
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.addressing import Addressing
from edge.gateways.wechat_pay.answers import ErrorAnswer, Json
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.gateways.wechat_pay.wire import Call, NoAnswer, NotSent, Reply, Wire

#: What to do when the gateway turns our requests away before it looks at them.
DOOR_REMEDY = "check the merchant key, its serial, this box's clock and the call rate"


class Refused(Declined):
    """The gateway refused a call, verified. error: its code and numeric reason."""

    def __init__(self, message: str, error: ErrorAnswer) -> None:
        super().__init__(message)
        self.error = error


class Channel:
    """One merchant's calls; safe for use by several threads."""

    def __init__(self, settings: WeChatPaySettings, wire: Wire) -> None:
        self.settings = settings
        self.wire = wire
        self.who = Addressing(settings.appid, settings.mchid, settings.sub_mchid, settings.sub_appid)

    def post(self, name: str, subject: str, path: str, value: Json) -> Call:
        """Return a repeatable POST of `value` as JSON. name and subject are for logs."""
        return Call(name, subject, "POST", path, answers.to_json(value), self.settings.read_s, True)

    def get(self, name: str, subject: str, path: str, query: Mapping[str, str] | None = None) -> Call:
        """Return a GET; the query is percent-encoded here, the path must be."""
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        return Call(name, subject, "GET", target, b"", self.settings.read_s, True)

    def deadline_ns(self) -> int:
        """Return when a repeatable call that starts now must have ended: one connect, two reads."""
        return self.wire.deadline_ns(self.settings.connect_s + 2 * self.settings.read_s)

    def need_keys(self, name: str, subject: str) -> None:
        """Raise Unavailable while no key of the gateway is known: its answer could not be believed."""
        if not self.wire.keys.at(self.wire.now_s()):
            raise Unavailable(
                f"WeChat Pay: no platform certificate is known yet, so {name} {subject} was not sent; "
                "check the network and the APIv3 key, then try again"
            )

    def verified(self, call: Call, deadline_ns: int) -> Reply:
        """Exchange a repeatable call; raise Unavailable unless a verified answer came."""
        what = f"{call.name} {call.subject}"
        try:
            reply = self.wire.exchange(call, deadline_ns)
        except (NotSent, NoAnswer) as error:
            problem = f"no answer to {what} ({error})"
        else:
            if not reply.unverified:
                return reply
            problem = f"no verified answer to {what}: {describe(reply)}"
        raise Unavailable(f"WeChat Pay: {problem}; try again")

    def ask(self, call: Call) -> Fields:
        """Return the verified answer of a call that moves nothing.

        Raises Unavailable (no verified answer, a server error, too many calls) or Refused.
        """
        reply = self.verified(call, self.deadline_ns())
        try:
            if reply.status in (200, 202, 204):
                return Fields({}) if reply.status == 204 else Fields.parse(reply.body)
            error = answers.read_error(reply.body, reply.request_id)
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        if reply.status >= 500 or error.code in answers.PASSING:
            raise Unavailable(
                f"WeChat Pay: {call.name} {call.subject}: {reply.status} {error}; try again later"
            )
        raise Refused(f"WeChat Pay refused {call.name} {call.subject}: {error}", error)

    def act(self, call: Call) -> Fields:
        """Return the verified answer of a repeatable call that moves money or points.

        Raises Unavailable (surely not taken in), Refused (verified) or OutcomeUnknown (then query, or send
        the same call again).
        """
        self.need_keys(call.name, call.subject)
        failure: Unavailable | OutcomeUnknown
        try:
            reply = self.wire.exchange(call, self.deadline_ns())
        except NotSent as error:
            failure = Unavailable(
                f"WeChat Pay was not reached for {call.name} {call.subject} ({error}); try again"
            )
        except NoAnswer as error:
            failure = unsure(call, str(error))
        else:
            return _judge(call, reply)
        raise failure


def useless(call: Call, why: Unreadable) -> Unavailable:
    """Return the error for an answer that is verified but not what the documents promise."""
    return Unavailable(
        f"WeChat Pay's answer to {call.name} {call.subject} is of no use: {why}; ask again later"
    )


def unsure(call: Call, why: str) -> OutcomeUnknown:
    """Return the error for a call that may or may not have had its effect."""
    return OutcomeUnknown(f"{call.name} {call.subject} may or may not have been done ({why}); query it")


def describe(reply: Reply) -> str:
    """Return status, code and what speaks against the answer, for a message."""
    try:
        error = answers.read_error(reply.body, reply.request_id)
    except Unreadable:
        words = [f"status {reply.status}", reply.unverified]
    else:
        cause = DOOR_REMEDY if refused_at_the_door(reply, error) else reply.unverified
        words = [f"{reply.status} {error}", cause]
    return ", ".join(word for word in words if word)


def refused_at_the_door(reply: Reply, error: ErrorAnswer) -> bool:
    """Whether the request was surely not taken in.

    SIGN_ERROR is the one answer that the gateway cannot be asked to sign: it signs only what it answers to
    requests whose signature it could verify.
    """
    if reply.sent_before:
        return False
    if reply.status == 401 and error.code == "SIGN_ERROR":
        return True
    return not reply.unverified and error.code in answers.THROTTLED


def _judge(call: Call, reply: Reply) -> Fields:
    try:
        if reply.status in (200, 202, 204) and not reply.unverified:
            return Fields({}) if reply.status == 204 else Fields.parse(reply.body)
        error = answers.read_error(reply.body, reply.request_id)
    except Unreadable as unreadable:
        raise unsure(call, f"{reply.status}, {reply.unverified or unreadable}") from None
    if refused_at_the_door(reply, error):
        raise Unavailable(f"WeChat Pay did not take in {call.name} {call.subject} ({error}); {DOOR_REMEDY}")
    if reply.unverified or reply.status >= 500 or error.code in answers.PASSING:
        raise unsure(call, ", ".join(word for word in (f"{reply.status} {error}", reply.unverified) if word))
    raise Refused(f"WeChat Pay refused {call.name} {call.subject}: {error}", error)
