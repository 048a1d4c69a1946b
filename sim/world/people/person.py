"""Somebody in the deterministic world, and what a person can see and touch there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from edge.services.box import Box
from edge.services.payment_ports import BillSource
from sim.world.people.purse import Purse

if TYPE_CHECKING:
    from sim.world.garage.site import Garage

T = TypeVar("T")


class Place(Protocol):
    """What a person can see and touch at one workstation."""

    @property
    def box(self) -> Box:
        """The running service."""

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows."""

    def scan(self, workstation: str, text: str) -> None:
        """Hold a code before the scanner."""

    def pay_url(self, url: str) -> bool:
        """Have a phone open this and pay; return whether it could."""

    @property
    def garage(self) -> Garage:
        """The car park, as it stands there."""

    def login_code(self, code: str, openid: str) -> str:
        """Have a shopper's phone be given this code by wx.login; return it."""

    def pay_inside(self, params: Mapping[str, str], openid: str) -> bool:
        """Have a shopper's wallet pay what the mini-program shows; return whether it could."""

    def read_bill(self) -> BillSource:
        """Return the gateway's bill as the service fetches it."""

    def wired(self, port: T, name: str) -> T:
        """Return a port as the service calls it: with the steps of this world."""

    def rests_but_for(self, watcher: Person) -> bool:
        """Return whether nothing moves any more, whatever this person still does."""


@dataclass(slots=True)
class Person:
    """Somebody at this box. done: gone, with `has_paid` or without. purse: of cash at its tills."""

    has_paid: bool = field(default=False, kw_only=True)
    done: bool = field(default=False, kw_only=True)
    purse: Purse = field(default_factory=Purse, kw_only=True)

    @property
    def company(self) -> tuple[Person, ...]:
        """Whoever came along."""
        return ()

    def act(self, place: Place) -> None:
        """Do the next thing."""
        raise NotImplementedError
