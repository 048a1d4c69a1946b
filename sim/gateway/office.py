"""What every room of the gateway works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sim.gateway.books import Books
from sim.gateway.credentials import Credentials
from sim.gateway.faults import FaultPlan
from sim.gateway.ledger import Ledger
from sim.gateway.merchants import Merchant, Merchants, read_pem
from sim.gateway.notices import Notices
from sim.gateway.orders import Orders
from sim.gateway.prepays import Prepays
from sim.gateway.refund_books import Refunds
from sim.gateway.signatures import Signatures
from sim.gateway.store import Store
from sim.gateway.wallets import Wallets


@dataclass
class Settings:
    """Switches that change how the gateway behaves.

    pending_as_error: tell USERPAYING as a 400 code instead of a trade_state. hosts: names that requests may
    be for, beside its real ones and loopback.
    """

    pending_as_error: bool = False
    hosts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Office:
    """The parts that rooms share. now_ms: Unix milliseconds. digits: that many random decimal digits."""

    credentials: Credentials
    store: Store
    ledger: Ledger
    wallets: Wallets
    orders: Orders
    books: Books
    merchants: Merchants
    signatures: Signatures
    faults: FaultPlan
    notices: Notices
    prepays: Prepays
    refunds: Refunds
    now_ms: Callable[[], int]
    digits: Callable[[int], str]
    settings: Settings = field(default_factory=Settings)


def make_office(
    credentials: Credentials, now_ms: Callable[[], int], digits: Callable[[int], str], store: Store
) -> Office:
    """Return an office on that store, with the merchant of the credentials in it."""
    books = Books(now_ms, digits, store)
    merchants = Merchants(store)
    merchants.add(Merchant(credentials.mchid, "商场 Mall", (credentials.appid,)))
    merchants.add_certificate(credentials.mchid, read_pem(credentials.merchant_cert))
    signatures = Signatures(credentials, now_ms, digits, merchants)
    faults = FaultPlan()
    return Office(
        credentials=credentials,
        store=store,
        ledger=books.accounts,
        wallets=books.purses,
        orders=books.sales,
        books=books,
        merchants=merchants,
        signatures=signatures,
        faults=faults,
        notices=Notices(store, signatures, faults, now_ms, digits),
        refunds=Refunds(store, books.accounts, books.sales, now_ms, digits),
        prepays=Prepays(store, books.sales, books.purses, merchants, now_ms, digits),
        now_ms=now_ms,
        digits=digits,
    )
