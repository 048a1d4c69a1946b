"""Profit sharing behind the port SplitGateway: one payment, shares to merchants, the rest goes free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from edge.errors import Invalid
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.profit_sharing import (
    ProfitSharing,
    Receiver,
    ReceiverKind,
    Share,
    ShareResult,
    ShareReturn,
    Sharing,
)
from edge.services.split_ports import (
    ReturnAsk,
    SharingAnswer,
    SharingAsk,
    SharingRefused,
    SharingState,
)

T = TypeVar("T")

#: The mall's relation to its tenants, and theirs to it, in the gateway's words.
_RELATION = "PARTNER"


class WeChatSplits:
    """Shares of one merchant's payments, and as a service provider of its sub-merchants'.

    names: each number's registered full name, which the gateway compares. most_permille: the contract's.
    """

    name = "wechat_pay"

    def __init__(self, gateway: WeChatPayGateway, names: Mapping[str, str], most_permille: int) -> None:
        self._gateway = gateway
        self._names = names
        self.most_permille = most_permille
        self.for_tenants = gateway.is_partner
        # Receivers stay known at the gateway; asking once in a process is enough.
        self._known: set[tuple[str, str]] = set()

    def add_receiver(self, payee: str, merchant: str) -> None:
        """Allow a number to receive shares; see the port."""
        account = merchant or self._gateway.own_merchant
        if (payee, account) in self._known:
            return
        receiver = Receiver(ReceiverKind.MERCHANT, account, self._names.get(account, ""), _RELATION)
        _act(lambda: self._sharing(payee).add_receiver(receiver))
        self._known.add((payee, account))

    def share(self, ask: SharingAsk) -> SharingAnswer:
        """Share a payment, or give all of it free; see the port."""
        sharing = self._sharing(ask.payee)
        if not ask.shares:
            return self._answer(
                _act(lambda: sharing.unfreeze(ask.transaction_id, ask.sharing_no, ask.description))
            )
        shares = tuple(
            Share(ReceiverKind.MERCHANT, merchant or self._gateway.own_merchant, fen, ask.description)
            for merchant, fen in ask.shares.items()
        )
        return self._answer(
            _act(
                lambda: sharing.share(ask.transaction_id, ask.sharing_no, shares, unfreeze_rest=True),
            )
        )

    def query_share(self, ask: SharingAsk) -> SharingAnswer:
        """Return what became of a sharing; see the port."""
        found = self._sharing(ask.payee).query(ask.transaction_id, ask.sharing_no)
        return SharingAnswer(SharingState.ABSENT) if found is None else self._answer(found)

    def give_back(self, ask: ReturnAsk) -> SharingAnswer:
        """Take a share back; see the port."""
        account = ask.merchant or self._gateway.own_merchant
        return _returned(
            _act(
                lambda: self._sharing(ask.payee).give_back(
                    ask.sharing_no, ask.return_no, account, ask.amount_fen, ask.description
                )
            )
        )

    def query_return(self, ask: ReturnAsk) -> SharingAnswer:
        """Return what became of a return; see the port."""
        found = self._sharing(ask.payee).query_return(ask.sharing_no, ask.return_no)
        return SharingAnswer(SharingState.ABSENT) if found is None else _returned(found)

    def _sharing(self, payee: str) -> ProfitSharing:
        if payee and not self.for_tenants:
            raise Invalid(f"payments to {payee} are shared by a service provider only, see sub_mchid")
        return self._gateway.sharing_of(payee)

    def _answer(self, sharing: Sharing) -> SharingAnswer:
        if not sharing.is_finished:
            return SharingAnswer(SharingState.PROCESSING, detail="PROCESSING")
        own = self._gateway.own_merchant
        failed = {
            "" if part.account == own else part.account: part.why or part.result.value
            for part in sharing.parts
            if part.result is not ShareResult.SUCCESS
        }
        return SharingAnswer(SharingState.DONE, failed, "FINISHED")


def _returned(found: ShareReturn) -> SharingAnswer:
    if found.result is ShareResult.SUCCESS:
        return SharingAnswer(SharingState.DONE, detail="SUCCESS")
    if found.result is ShareResult.PROCESSING:
        return SharingAnswer(SharingState.PROCESSING, detail="PROCESSING")
    return SharingAnswer(SharingState.FAILED, detail=found.why or found.result.value)


def _act(call: Callable[[], T]) -> T:
    try:
        return call()
    except Refused as refusal:
        raise SharingRefused(str(refusal), detail=str(refusal.error)) from None
