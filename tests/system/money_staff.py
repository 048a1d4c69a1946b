"""Staff of a day: a supervisor who gives money back on the staff pages, and has bills compared."""

from __future__ import annotations

import queue
import threading
import uuid
from types import TracebackType

import httpx

from sim.mall_config import DEMO_PIN

SUPERVISOR_PIN = "7410"


class Supervisor:
    """Gives orders back, one after another, on a thread of its own; use as a context manager."""

    def __init__(self, url: str) -> None:
        self._pages = httpx.Client(base_url=url, headers={"Origin": url}, timeout=60)
        self._asked: queue.SimpleQueue[tuple[str, int, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="supervisor")
        #: Refund ids that a page has confirmed, and what was refused.
        self.given: list[str] = []
        self.refused: list[str] = []

    def __enter__(self) -> Supervisor:
        signed_in = self._pages.post("/staff/login", data={"pin": DEMO_PIN})
        assert signed_in.status_code == 303, signed_in.text
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked.put(None)
        self._thread.join()
        self._pages.close()

    def bring_back(self, order_id: str, total_fen: int, drawer: str) -> None:
        """Have an order given back, every other one in two parts; drawer: where cash would come from."""
        self._asked.put((order_id, total_fen, drawer))

    def compare(self, day: str) -> None:
        """Have the bills of a day compared, soon."""
        answer = self._pages.post("/staff/bills", data={"day": day})
        assert answer.status_code == 200, answer.text

    def _work(self) -> None:
        number = 0
        while (asked := self._asked.get()) is not None:
            order_id, total_fen, drawer = asked
            number += 1
            if number % 2 and total_fen > 1:
                half = total_fen // 2
                yuan = f"{half // 100}.{half % 100:02d}"
                self._give(order_id, drawer, mode="amount", amount=yuan, fen=half)
                self._give(order_id, drawer, mode="all", amount="", fen=total_fen - half)
            else:
                self._give(order_id, drawer, mode="all", amount="", fen=total_fen)

    def _give(self, order_id: str, drawer: str, *, mode: str, amount: str, fen: int) -> None:
        key = str(uuid.uuid4())  # noqa: TID251  # a browser's form carries a number that is never used twice
        form = {"key": key, "mode": mode, "amount": amount, "expected_fen": str(fen), "reason": "unwanted"}
        form |= {"workstation": drawer, "pin": SUPERVISOR_PIN}
        answer = self._pages.post(f"/staff/refunds/orders/{order_id}", data=form)
        if answer.status_code == 303:
            self.given.append(key)
        else:
            self.refused.append(f"{order_id} {mode} {amount}: {answer.status_code}")
