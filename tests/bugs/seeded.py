"""Bugs that somebody might write one day: each breaks one promise, and a named property must catch it.

A bug is a change to the shipped code, applied to a copy; `holds` is the test that fails then, and `says` is
in what it prints, so that it fails for this reason and no other. A harness that misses one proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_EVERY_STEP = "tests/crash/test_every_step.py::test_a_crash_at_every_step_loses_and_doubles_nothing"
_POWER = (
    "tests/crash/test_power_cuts.py::test_what_was_acknowledged_is_there_after_a_power_cut_and_nothing_half"
)
_LANES = (
    "tests/crash/test_lanes.py"
    "::test_no_gate_opens_twice_for_a_decision_and_nobody_is_trapped_wherever_it_stops"
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change. path: from the root; old: stands there exactly once."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A seeded bug. promise: of docs/promises.md; quick: shown in `make test` as well as in `make proof`."""

    name: str
    promise: str
    edits: tuple[Edit, ...]
    holds: str
    says: str
    quick: bool = False


def every_step(scenario: str) -> str:
    """Return the test that crashes a scenario at every step."""
    return f"{_EVERY_STEP}[{scenario}]"


BUGS = (
    Bug(
        "the charge is sent before it is written down as sent",
        "P2",
        (
            Edit(
                "edge/services/take_payment.py",
                "    unit.attempts.put(submitted)\n    return submitted",
                "    return submitted",
            ),
        ),
        every_step("kiosk by code"),
        "fen were taken",
        quick=True,
    ),
    Bug(
        "a time-out is taken for a refusal",
        "P3",
        (
            Edit(
                "edge/services/take_payment.py",
                "        answer = GatewayAnswer(PaymentState.ABSENT, detail=str(doubt))\n        return settle(box, attempt_id, answer, in_doubt=True)",
                "        return close_attempt(box, attempt_id, AttemptState.DECLINED, str(doubt))",
            ),
        ),
        every_step("payment lost"),
        "fen were taken",
    ),
    Bug(
        "money that comes after a payment was given up is passed over",
        "P2",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "if answer.state is PaymentState.APPROVED and attempt.state in _GIVEN_UP:",
                "if answer.state is PaymentState.PENDING and attempt.state in _GIVEN_UP:",
            ),
        ),
        "tests/unit/test_money_path.py",
        "assert",
    ),
    Bug(
        "what a gateway took is not compared with what was asked for",
        "P2",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "if answer.amount_fen is not None and answer.amount_fen != attempt.amount_fen:",
                "if answer.amount_fen is not None and answer.amount_fen < 0:",
            ),
        ),
        "tests/unit/test_services_payment.py::test_an_answer_with_another_amount_is_given_back_and_stops_no_other",
        "AssertionError|assert|DID NOT RAISE",
    ),
    Bug(
        "a payment's age is told by the wall clock",
        "P14",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "    age_ms = now.since_ms(created)\n",
                "    age_ms = max(0, now.wall_at - created.wall_at)\n",
            ),
        ),
        "tests/unit/test_services_payment.py::test_a_stepped_clock_neither_reverses_a_payment_early_nor_forgets_it",
        "assert",
    ),
    Bug(
        "an event counts as delivered once it is sent",
        "P5",
        (
            Edit(
                "edge/services/publish_events.py",
                "        taken = link.send(picked.messages, picked.depth.oldest_sequence or 1, picked.depth.last_sequence)\n",
                "        taken = link.send(picked.messages, picked.depth.oldest_sequence or 1, picked.depth.last_sequence)\n"
                "        store.write(lambda unit: unit.outbox.acknowledge(picked.depth.last_sequence, (), now.wall_at))\n",
            ),
        ),
        every_step("kiosk by code"),
        "HQ applied",
        quick=True,
    ),
    Bug(
        "that an order is paid is told in a transaction after the money's",
        "P4",
        (
            Edit(
                "edge/services/complete_order.py",
                "    tell(EventKind.ORDER_PAID, order.order_id, order_paid(order))\n",
                "",
            ),
            Edit(
                "edge/services/settle_attempt.py",
                "    attempt, place = box.store.write(work)\n",
                "    attempt, place = box.store.write(work)\n"
                "    if attempt.state is AttemptState.APPROVED:\n"
                "        from edge.services.events import order_paid\n\n"
                "        def late(unit: Unit) -> None:\n"
                "            order = unit.orders.get(attempt.order_id)\n"
                "            data = order_paid(order)\n"
                "            record_event(unit, box.ids, now, box.origin, EventKind.ORDER_PAID, order.order_id, data)\n\n"
                "        box.store.write(late)\n",
            ),
        ),
        every_step("kiosk by code"),
        "not paid|saw a paid screen",
    ),
    Bug(
        "a receipt whose printing broke off is printed again",
        "P8",
        (
            Edit(
                "edge/services/recover.py",
                "print_state=PrintState.UNCERTAIN, print_problem=problem",
                "print_state=PrintState.QUEUED, print_problem=problem",
            ),
        ),
        every_step("kiosk by code"),
        "printed|paper|copies",
    ),
    Bug(
        "a sale does not reach the books",
        "P6",
        (
            Edit(
                "edge/services/complete_order.py",
                "    unit.ledger.post(post_sale(box.ids.new_id(), order, now.wall_at))\n",
                "",
            ),
        ),
        every_step("till by cash"),
        "violations",
    ),
    Bug(
        "a refund is sent again under another number when its answer was lost",
        "P16",
        (
            Edit(
                "edge/services/resolve_refunds.py",
                "(LegState.SUBMITTED, LegState.UNKNOWN):\n        return gateway.refund(request)",
                "(LegState.SUBMITTED, LegState.UNKNOWN):\n"
                "        from dataclasses import replace\n\n"
                '        return gateway.refund(replace(request, merchant_refund_no=request.merchant_refund_no + "2"))',
            ),
        ),
        every_step("refund late"),
        "violations|RefundRefused",
    ),
    Bug(
        "a forsaken screen drops a payment that is on its way",
        "P11",
        (
            Edit(
                "edge/services/reset_idle.py",
                "        return busy.attempt is not None and busy.attempt.state is AttemptState.UNKNOWN\n",
                "        return True\n",
            ),
        ),
        "tests/unit/test_services_screen.py",
        "assert",
    ),
    Bug(
        "parking that a purchase paid for stays free after the purchase went back",
        "P25",
        (
            Edit(
                "edge/services/refund_order.py",
                "revalidate_order(",
                "(lambda *_, **__: None)(",
            ),
        ),
        every_step("parking validated, then given back"),
        "violations",
    ),
    Bug(
        "points that a purchase earned stay after it went back",
        "P16",
        (Edit("edge/services/refund_order.py", "    reverse_for_refund(", "    (lambda *_: None)("),),
        every_step("member's points, given back"),
        "violations",
    ),
    Bug(
        "a guide keeps the commission of what went back",
        "P16",
        (Edit("edge/services/refund_order.py", "    reverse_sale(", "    (lambda *_: None)("),),
        every_step("came by codes, given back"),
        "violations",
    ),
    Bug(
        "a gate's pulse that may have been sent is sent again after a restart",
        "P22",
        (
            Edit(
                "edge/services/open_lane.py",
                'doubtful = advanced(command, GateCommandState.DOUBTFUL, at, "cut off while it was sent")',
                'doubtful = not_sent(command, "cut off while it was sent")',
            ),
        ),
        f"{_LANES}[car: paid at the exit]",
        "was pulsed",
    ),
    Bug(
        "an opening that waited through a restart is still sent",
        "P22",
        (
            Edit(
                "edge/services/open_lane.py",
                "    if command.decided_boot != now.boot_id:\n        return True\n"
                "    return now.boottime_ns - command.decided_ns > box.parking.times.command_s * 1_000_000_000\n",
                "    return False\n",
            ),
        ),
        "tests/unit/test_services_lane_rest.py",
        "Opening.OLD",
    ),
    Bug(
        "whoever paid at the exit is not let go",
        "P23",
        (Edit("edge/services/settle_stays.py", "        note_settled(unit, box, session_id, now)\n", ""),),
        every_step("exit by code"),
        "did not come to rest|violations|trapped",
    ),
    Bug(
        "the database is not synced at each commit",
        "P30",
        (Edit("edge/store/database.py", '    "synchronous": 2,', '    "synchronous": 1,'),),
        _POWER,
        "was acknowledged, what is there is an older one",
        quick=True,
    ),
    Bug(
        "a step of the schema is not one transaction",
        "P30",
        (
            Edit("edge/store/migrate.py", '    connection.execute("BEGIN IMMEDIATE")\n', ""),
            Edit("edge/store/migrate.py", '        connection.execute("COMMIT")\n', ""),
        ),
        _POWER,
        "the service does not start|half a transaction",
    ),
    Bug(
        "a copy's name is not synced before it is reported",
        "P29",
        (
            Edit(
                "edge/store/backup.py",
                "        part.rename(target)\n        _sync(target.parent)\n",
                "        part.rename(target)\n",
            ),
        ),
        _POWER,
        "a copy that was reported as made is not there",
    ),
)

ROOT = Path(__file__).parents[2]


def apply(bug: Bug, tree: Path) -> None:
    """Change a copy of the tree; raise AssertionError where the code is not what the bug was written for."""
    for edit in bug.edits:
        path = tree / edit.path
        text = path.read_text()
        found = text.count(edit.old)
        assert found == 1, f"{bug.name}: {edit.path} has the changed text {found} times; write the bug anew"
        path.write_text(text.replace(edit.old, edit.new))
