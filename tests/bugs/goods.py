"""Bugs of what is told, printed, credited and handed over."""

from __future__ import annotations

from tests.bugs.bug import Bug, Crashed, Edit

GOODS = (
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
        Crashed("kiosk by code"),
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
        Crashed("kiosk by code"),
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
        Crashed("kiosk by code"),
        "printed|paper|copies",
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
        "points that a purchase earned stay after it went back",
        "P16",
        (Edit("edge/services/refund_order.py", "    reverse_for_refund(", "    (lambda *_: None)("),),
        Crashed("member's points, given back"),
        "points told are",
    ),
    Bug(
        "a guide keeps the commission of what went back",
        "P16",
        (Edit("edge/services/refund_order.py", "    reverse_sale(", "    (lambda *_: None)("),),
        Crashed("came by codes, given back"),
        "were kept, credited are",
    ),
)
