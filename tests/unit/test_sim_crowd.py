"""The crowd's own parts: its dice, what it reads off pages, and that its audit notices what does not hold."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from sim.crowd.audit import audit
from sim.crowd.calls import CallError, Calls, Dice, Meter
from sim.crowd.desk import Desk, Form
from sim.crowd.phone import Paid, Phone
from sim.crowd.run import SHARES

PAGE = """<form method="post" action="/give" data-form="give"><input type="hidden" name="key" value="k1">
<input type="checkbox" name="all:1" value="2">
<input type="radio" name="mode" value="lines"><input type="radio" name="mode" value="all" checked>
<select name="reason"><option value="">choose</option><option value="other">Other</option></select>
<select name="place"><option>K01</option><option selected>T01</option></select>
<button name="do" value="approve">Give</button></form>"""


@contextmanager
def serving(pages: Mapping[str, object], statuses: list[int] | None = None) -> Iterator[str]:
    """Serve JSON or HTML by path; statuses: of the first answers, then 200."""
    left = list(statuses or [])

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            asked = urlsplit(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = pages[asked.path]
            if asked.path == "/events.json":
                query = parse_qs(asked.query)
                told = found[query["kind"][0]] if query["skip"] == ["0"] else []  # type: ignore[index]
                found = [{"data": json.dumps(one)} for one in told]
            body = (found if isinstance(found, str) else json.dumps(found)).encode()
            self.send_response(left.pop(0) if left else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def calls(url: str, meter: Meter | None = None) -> Calls:
    return Calls(url, meter or Meter(), threading.Event())


def test_the_same_seeds_throw_the_same_and_neighbours_do_not() -> None:
    first = [Dice(1, number).below(1_000) for number in range(50)]
    assert first == [Dice(1, number).below(1_000) for number in range(50)]
    assert first != [Dice(2, number).below(1_000) for number in range(50)]
    assert len(set(first)) > 40


def test_journeys_are_chosen_by_their_shares_whatever_the_seed() -> None:
    chosen = Counter(Dice(7, number, 1).weighted(SHARES) for number in range(2_000))
    for name, share in SHARES.items():
        assert chosen[name] / 20 == pytest.approx(share, abs=4)


def test_a_call_that_must_wait_is_made_again_and_every_try_is_counted() -> None:
    meter = Meter()
    with serving({"/a": {"done": 1}}, [503, 429]) as url, calls(url, meter) as box:
        assert box.post("a", "/a") == {"done": 1}
    assert len(meter.took_ms["a"]) == 3
    assert meter.failed == {"a: 503": 1, "a: 429": 1}
    assert meter.lines()[-1].startswith("all calls")


def test_a_refusal_tells_the_boxs_own_word() -> None:
    with (
        serving({"/a": {"error": "declined", "message": "taken"}}, [409]) as url,
        calls(url) as box,
        pytest.raises(CallError, match="a: 409 declined taken") as refused,
    ):
        box.post("a", "/a")
    assert (refused.value.status, refused.value.word) == (409, "declined")


def test_a_form_is_read_as_a_browser_would_send_it() -> None:
    with serving({"/page": PAGE}) as url, calls(url) as box:
        (form,) = Desk(box, "1").forms("page", "/page")
    wanted = {"key": "k1", "mode": "all", "reason": "", "place": "T01"}
    assert form == Form("/give", "post", "give", wanted, [("do", "approve")], {"all:1": "2"})


ORDER = {"order_id": "o-1", "total_fen": 500}
SALE = {"order_id": "o-1", "correlation": "w", "touches": [{"touchpoint": "poster"}]}
SCANNED = {"order_id": "", "correlation": "w", "touchpoint": "poster", "step": "scanned"}
BOUGHT = {"order_id": "o-1", "correlation": "w", "touchpoint": "kiosk", "step": "bought"}
RIGHT: dict[str, list[object]] = {
    "order.paid": [ORDER],
    "sale.attributed": [SALE],
    "conversion.step": [SCANNED, BOUGHT],
}


def found(events: Mapping[str, list[object]], balance_fen: int = 999_500) -> tuple[str, ...]:
    """Return what the audit says of one phone that paid 5 yuan."""
    pages = {"/events.json": events, "/sim/phone/w1/state": {"wallet": {"balance_fen": balance_fen}}}
    stop = threading.Event()
    stop.set()
    with serving(pages) as url, calls(url) as office:
        phone = Phone(office, office, stop, lambda count: "0" * count, wallet_id="w1")
        phone.paid.append(Paid("o-1", "P-1", 500, "r"))
        return audit([phone], url, stop).violations


def test_an_order_with_its_whole_chain_holds() -> None:
    assert found(RIGHT) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"order.paid": [ORDER, ORDER]}, "2 times as paid"),
        ({"order.paid": []}, "0 times as paid"),
        ({"order.paid": [{**ORDER, "total_fen": 400}]}, "cost 500 fen on the phone and 400"),
        ({"sale.attributed": []}, "was credited 0 times"),
        ({"sale.attributed": [SALE, SALE]}, "was credited 2 times"),
        ({"sale.attributed": [{**SALE, "touches": []}]}, "no touch at all"),
        ({"conversion.step": [BOUGHT]}, "chain is not whole"),
        ({"conversion.step": [SCANNED]}, "was told as bought 0 times"),
        ({"conversion.step": [SCANNED, BOUGHT, BOUGHT]}, "was told as bought 2 times"),
    ],
)
def test_what_does_not_hold_at_hq_is_told(changes: dict[str, list[object]], told: str) -> None:
    assert told in " ".join(found(RIGHT | changes))


def test_a_stay_that_is_paid_ends_its_way_by_parking() -> None:
    assert found(RIGHT | {"conversion.step": [SCANNED, {**BOUGHT, "step": "parked"}]}) == ()


def test_a_wallet_that_paid_twice_is_told() -> None:
    assert "1000 fen lighter, and its phone paid 500 fen" in found(RIGHT, 999_000)[0]
