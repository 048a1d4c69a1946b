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
        "fen were taken for an order that is not paid",
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
        "has 2 papers",
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
        "assert not reset_idle",
    ),
    Bug(
        "points that a purchase earned stay after it went back",
        "P38",
        (Edit("edge/services/refund_order.py", "    reverse_for_refund(", "    (lambda *_: None)("),),
        Crashed("member's points, given back"),
        "points told are",
    ),
    Bug(
        "a guide keeps the commission of what went back",
        "P38",
        (Edit("edge/services/refund_order.py", "    reverse_sale(", "    (lambda *_: None)("),),
        Crashed("came by codes, given back"),
        "were kept, credited are",
    ),
    Bug(
        "a hand-over is told in a transaction after the ticket's",
        "P4",
        (
            Edit(
                "edge/services/hand_over_ticket.py",
                "    record_event(unit, box.ids, now, box.origin, EventKind.TICKET_HANDED_OVER, ticket.ticket_id, data, way)\n",
                "    unit.late = lambda other: record_event(other, box.ids, now, box.origin, EventKind.TICKET_HANDED_OVER, ticket.ticket_id, data, way)\n    _LATE.append(unit.late)\n",
            ),
            Edit(
                "edge/services/hand_over_ticket.py",
                "    box.changed(counter)\n    if not right:\n",
                "    while _LATE:\n        box.store.write(_LATE.pop())\n    box.changed(counter)\n    if not right:\n",
            ),
            Edit(
                "edge/services/hand_over_ticket.py",
                "_MAX_DESCRIPTION = 120\n",
                "_MAX_DESCRIPTION = 120\n_LATE: list = []\n",
            ),
        ),
        Crashed("counter ticket, by a code at the counter"),
        "handed over 0 times",
        quick=True,
    ),
    Bug(
        "a ticket's release code is good after the hand-over",
        "P41",
        (
            Edit(
                "edge/retail/ticket.py",
                '        ticket, state=TicketState.HANDED_OVER, release_code="", closed_at=at, closed_by=by, changed_at=at\n',
                "        ticket, state=TicketState.HANDED_OVER, closed_at=at, closed_by=by, changed_at=at\n",
            ),
        ),
        Crashed("counter ticket, paid in the wallet, given back"),
        "its release code still holds",
    ),
    Bug(
        "a ticket stays bound to an order that came to nothing",
        "P41",
        (
            Edit(
                "edge/services/check_out.py",
                "    release_tickets(unit, box, cancelled)\n    return cancelled\n",
                "    return cancelled\n",
            ),
        ),
        Crashed("counter ticket, given up while a phone has begun"),
        "CounterSale is not done",
    ),
    Bug(
        "a ticket is cancelled while a phone may still pay it",
        "P2",
        (
            Edit(
                "edge/services/issue_ticket.py",
                "    _stop_payment(box, counter, ticket_id)\n    return change_ticket(\n        *(box, counter, ticket_id), lambda unit, ticket, now: cancel_ticket(",
                "    return change_ticket(\n        *(box, counter, ticket_id), lambda unit, ticket, now: cancel_ticket(",
            ),
            Edit(
                "edge/retail/ticket.py",
                '        raise Invalid(f"ticket {ticket.number} is {ticket.state}; it cannot be cancelled")\n    _require_free(ticket)\n',
                '        raise Invalid(f"ticket {ticket.number} is {ticket.state}; it cannot be cancelled")\n',
            ),
        ),
        Crashed("counter ticket, given up while a phone has begun"),
        "which is cancelled",
    ),
    Bug(
        "a ticket's slip is printed in a transaction after the payment's",
        "P41",
        (
            Edit(
                "edge/services/settle_tickets.py",
                "        queue_ticket_slip(unit, box, paid, order, now)\n",
                "",
            ),
            Edit(
                "edge/services/settle_attempt.py",
                "    attempt, place = box.store.write(work)\n",
                "    attempt, place = box.store.write(work)\n"
                "    if attempt.state is AttemptState.APPROVED:\n"
                "        from edge.services.ticket_paper import queue_ticket_slip\n\n"
                "        def late(unit: Unit) -> None:\n"
                "            for paid in unit.tickets.of_order(attempt.order_id):\n"
                "                queue_ticket_slip(unit, box, paid, unit.orders.get(attempt.order_id), now)\n\n"
                "        box.store.write(late)\n",
            ),
        ),
        Crashed("counter ticket, by a code at the counter"),
        "has 0 slips",
    ),
    Bug(
        "a hand-over counts as told when WeChat did not answer",
        "P33",
        (
            Edit(
                "edge/services/hand_over_notices.py",
                "        return _later(notice, error, now)\n",
                "        return replace(notice, tries=notice.tries + 1, done_at=now.wall_at, why=str(error))\n",
            ),
        ),
        Crashed("phone payment, answers lost"),
        "WeChat was told of",
    ),
    Bug(
        "a hand-over is marked as told before it is told",
        "P33",
        (
            Edit(
                "edge/services/hand_over_notices.py",
                "        answer = _tell(box, box.mini_program, notice, now)\n",
                "        box.store.write(lambda unit, one=notice: unit.phone_notices.put(replace(one, done_at=now.wall_at)))\n"
                "        answer = _tell(box, box.mini_program, notice, now)\n",
            ),
        ),
        Crashed("phone payment"),
        "WeChat was told of",
    ),
    Bug(
        "a basket is in the phone's cart before the kiosk's screen has let go of it",
        "P7",
        (
            Edit(
                "edge/services/hand_over_basket.py",
                "        to_start(unit, box, busy, now)\n        show_notice(unit, load(unit, box, busy.state.workstation), now, told)\n",
                "",
            ),
            Edit(
                "edge/services/hand_over_basket.py",
                '        told = Notice(box.ids.new_id(), "info", NoticeCode.TAKEN_OVER, {"count": basket.count})\n',
                "",
            ),
            Edit(
                "edge/services/hand_over_basket.py",
                "    place = box.store.write(work)\n    if place:\n        box.changed(place)\n",
                "    place = box.store.write(work)\n    if place:\n"
                "        box.store.write(lambda unit: to_start(unit, box, load(unit, box, place), now))\n"
                "        box.changed(place)\n",
            ),
        ),
        Crashed("basket from the kiosk to the phone and back"),
        r"\('basket', 'attract', .* Wanderer is not done",
    ),
    Bug(
        "a receipt is put on paper before it is marked as printing",
        "P8",
        (
            Edit(
                "edge/services/print_receipt.py",
                "    printing = replace(receipt, print_state=PrintState.PRINTING)\n    unit.receipts.put(printing)\n    return printing, order\n",
                "    return receipt, order\n",
            ),
        ),
        Crashed("till by cash"),
        "has 2 papers",
    ),
    Bug(
        "HQ's ack covers the holes below it",
        "P5",
        (
            Edit(
                "edge/services/publish_events.py",
                "            unit.outbox.acknowledge(ack.through_sequence, ack.holes, now.wall_at, ack.also) for ack in known\n",
                "            unit.outbox.acknowledge(ack.through_sequence, (), now.wall_at, ack.also) for ack in known\n",
            ),
        ),
        Crashed("kiosk and till", "lossy"),
        "HQ applied",
    ),
    Bug(
        "what was sent and not acknowledged is not sent again",
        "P4",
        (
            Edit(
                "edge/services/publish_events.py",
                "    if lane.resend_ns is None or now.boottime_ns < lane.resend_ns:\n        return lane\n",
                "    return lane\n",
            ),
        ),
        Crashed("kiosk by code", "lossy"),
        "not at rest .* nobody is not done",
    ),
    Bug(
        "a command of HQ that comes again is carried out again",
        "P40",
        (
            Edit(
                "edge/services/obey_command.py",
                "    if known is not None:\n        return Obeyed(known, repeated=True)\n    record = _begun(",
                "    record = _begun(",
            ),
        ),
        Crashed("sales frozen and thawed by HQ"),
        "Headquarters is not done",
    ),
    Bug(
        "a second refund forgets what the first took out of a credited sale",
        "P38",
        (
            Edit(
                "edge/services/attribute_sale.py",
                "left_fen=max(0, sale.left_fen - back_fen)",
                "left_fen=max(0, sale.amount_fen - back_fen)",
            ),
        ),
        Crashed("came by codes, given back"),
        "were kept, credited are",
    ),
    Bug(
        "points that were spent stay spent when the shopper has left and nothing was paid",
        "P38",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "        settle_points(unit, box, cancelled, now)\n",
                "",
            ),
        ),
        Crashed("member's points, left in doubt"),
        "points were spent and 0 came back",
    ),
    Bug(
        "an order earns again when its member is told once more",
        "P34",
        (
            Edit(
                "edge/services/earn_points.py",
                "    if any(one.kind is PointsKind.EARN for one in unit.points.of_source(order.order_id)):\n        return 0\n",
                "",
            ),
        ),
        Crashed("joined after payment, given back"),
        "LatePatron is not done",
    ),
    Bug(
        "a lease does not hear of points that came back",
        "P35",
        (
            Edit(
                "edge/services/earn_points.py",
                "        unit.points.put_lease(unspend_lease(lease, points))\n",
                "        pass\n",
            ),
        ),
        Crashed("member's points, given back"),
        "the lease has",
    ),
    Bug(
        "points that come back after a lease's time, before it was ended, are lost",
        "P35",
        (
            Edit(
                "edge/services/earn_points.py",
                "    if lease is not None and lease.closed_at is None:\n",
                "    if lease is not None and lease.is_open(now.wall_at):\n",
            ),
        ),
        Crashed("member's points, given back after the lease's time"),
        "the lease has 20 spent, the ledger 0",
    ),
    Bug(
        "points are spent again when the same spending is asked for again",
        "P35",
        (
            Edit(
                "edge/services/spend_points.py",
                "    if before:\n        return -sum(one.points for one in before)\n",
                "",
            ),
        ),
        Crashed("member's points, given back"),
        "40 points were spent",
    ),
    Bug(
        "two members become one and the points of the one that went are lost",
        "P34",
        (
            Edit(
                "edge/services/merge_members.py",
                "    _move_points(unit, box, gone, into, now)\n",
                "",
            ),
        ),
        "tests/unit/test_services_points.py",
        r"\(\(35, 0\), \(0, 0\)\) == \(\(0, 0\), \(35, 0\)\)",
    ),
    Bug(
        "a phone's request that HQ relays again has its effect again",
        "P1",
        (
            Edit(
                "edge/services/admit_request.py",
                "        if correlation in self._answers:\n            return Verdict.REPEAT\n",
                "",
            ),
        ),
        "tests/unit/test_hq_relay.py::test_a_retry_has_no_second_effect",
        r"desk\.effects == 1",
    ),
    Bug(
        "an exit code is good for two bags",
        "P42",
        (
            Edit(
                "edge/services/pass_exit.py",
                "        unit.exits.put(_used(shown.one, ExitState.PASSED, place, by, now))\n    elif",
                "        pass\n    elif",
            ),
        ),
        "tests/unit/test_pass_exit.py::test_a_code_is_good_once_and_then_says_who_used_it_when_and_where",
        r"PASS: 'pass'> is <ExitVerdict\.USED",
    ),
    Bug(
        "that somebody joined is told in a transaction after the member's",
        "P34",
        (
            Edit(
                "edge/services/join_member.py",
                "    return box.store.write(lambda unit: join_member(unit, box, ask, box.clock.now()))\n",
                "    later = []\n"
                "    known = box.store.write(lambda unit: join_member(unit, box, ask, box.clock.now(), later))\n"
                "    for one in later:\n"
                "        box.store.write(one)\n"
                "    return known\n",
            ),
            Edit(
                "edge/services/join_member.py",
                "def join_member(unit: Unit, box: Box, ask: JoinAsk, now: Instant) -> KnownMember:\n",
                "def join_member(unit: Unit, box: Box, ask: JoinAsk, now: Instant, later=None) -> KnownMember:\n",
            ),
            Edit(
                "edge/services/join_member.py",
                "        tell(unit, box, EventKind.MEMBER_JOINED, member_id, told, now, ask.order_id)\n",
                "        word = (box, EventKind.MEMBER_JOINED, member_id, told, now, ask.order_id)\n"
                "        if later is None:\n"
                "            tell(unit, *word)\n"
                "        else:\n"
                "            later.append(lambda unit: tell(unit, *word))\n",
            ),
        ),
        Crashed("member's points, never paid", "calm"),
        "one person became 0 members",
    ),
    Bug(
        "what HQ pushed counts as noted before it is on record",
        "P49",
        (
            Edit(
                "edge/services/take_snapshot.py",
                "    word = _hear(shelf, manifest)\n    wire.noted(manifest)\n    return word\n",
                "    wire.noted(manifest)\n    return _hear(shelf, manifest)\n",
            ),
        ),
        "tests/unit/test_take_snapshot.py::test_what_hq_said_while_the_store_failed_is_not_forgotten",
        "assert [] == ['a']",
    ),
    Bug(
        "points are earned in a transaction after the payment's",
        "P34",
        (
            Edit("edge/services/complete_order.py", "    earn_for_order(unit, box, order, now)\n", ""),
            Edit(
                "edge/services/settle_attempt.py",
                "    attempt, place = box.store.write(work)\n",
                "    attempt, place = box.store.write(work)\n"
                "    if attempt.state is AttemptState.APPROVED:\n"
                "        from edge.services.earn_points import earn_for_order\n\n"
                "        box.store.write(lambda unit: earn_for_order(unit, box, unit.orders.get(attempt.order_id), now))\n",
            ),
        ),
        Crashed("member's points, given back"),
        "points told are",
    ),
    Bug(
        "a sale is credited in a transaction after the payment's",
        "P38",
        (
            Edit(
                "edge/services/complete_order.py",
                "    note_sale(unit, box, order, now, landing_of(unit, order), parked=bool(validated.validations))\n",
                "",
            ),
            Edit(
                "edge/services/settle_attempt.py",
                "    attempt, place = box.store.write(work)\n",
                "    attempt, place = box.store.write(work)\n"
                "    if attempt.state is AttemptState.APPROVED:\n"
                "        from edge.services.attribute_sale import note_sale\n\n"
                "        box.store.write(lambda unit: note_sale(unit, box, unit.orders.get(attempt.order_id), now))\n",
            ),
        ),
        Crashed("came by codes, given back"),
        "credited are",
    ),
)
