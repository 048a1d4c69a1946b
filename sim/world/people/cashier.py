"""A cashier's shift: opens it, sells, gives back, counts the drawer."""

from __future__ import annotations

from dataclasses import dataclass

from edge.retail.shift import ShiftState
from edge.services.close_shift import begin_count, give_count
from edge.services.open_shift import open_shift
from edge.services.records import Unit
from edge.services.refund_order import quote_refund
from sim.world.people.buyers import Returner
from sim.world.people.person import Place


@dataclass(slots=True)
class Cashier(Returner):
    """Opens a shift with a float, sells, gives back, and counts what lies in the drawer."""

    float_fen: int = 10_000
    served: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        shift, last = place.box.store.read(lambda unit: (unit.shifts.current(self.till), self._last(unit)))
        if shift is None and last == 0:
            open_shift(place.box, self.till, "cashier", self.float_fen)
        elif not self.served:
            Returner.act(self, place)
            self.served, self.done = self.done, False
        elif shift is None:
            self.done = True
        elif shift.state is ShiftState.OPEN:
            begin_count(place.box, self.till)
        else:
            give_count(place.box, self.till, {}, self.float_fen + self._in_drawer(place), "cashier")

    def _last(self, unit: Unit) -> int:
        last = unit.shifts.last(self.till)
        return 0 if last is None else last.number or 0

    def _in_drawer(self, place: Place) -> int:
        """Return what was handed in, as whoever paid remembers it, and not handed out again."""
        if not self.order_id:
            return self.purse.kept_fen
        quote = place.box.store.read(lambda unit: quote_refund(unit, self.order_id))
        legs = [leg for refund in quote.refunds for leg in refund.legs if leg.kind == "cash"]
        return self.purse.kept_fen - sum(leg.amount_fen for leg in legs)
