"""Bugs of payments, refunds and the books."""

from __future__ import annotations

from tests.bugs.bug import Bug, Crashed, Edit

MONEY = (
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
        Crashed("kiosk by code"),
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
        Crashed("payment lost"),
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
        r"VOIDED: 'voided'> is <AttemptState\.UNKNOWN",
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
        "DID NOT RAISE Corrupt",
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
        "assert 0 == 8",
    ),
    Bug(
        "a clock that was set over a restart gives up a charge that can still arrive",
        "P2",
        (
            Edit(
                "edge/services/resolve_attempts.py",
                "and _cannot_arrive(box, attempt, now):",
                "and age_ms > LATEST_ARRIVAL_MS:",
            ),
        ),
        "tests/unit/test_services_payment.py::test_a_clock_that_was_set_over_a_restart_gives_up_no_charge_that_can_still_arrive",
        r"\[0\]\.is_open",
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
        Crashed("till by cash"),
        "the books have sales of 0 fen",
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
        Crashed("refund late"),
        "broke off: RefundRefused",
    ),
    Bug(
        "a reversal is sent before it is written down as begun",
        "P2",
        (
            Edit(
                "edge/services/resolve_attempts.py",
                "    now = box.clock.now()\n    _note_reversal(box, attempt, now, begun=True)\n    answer = gateway.reverse(attempt.merchant_order_no)\n",
                "    now = box.clock.now()\n    answer = gateway.reverse(attempt.merchant_order_no)\n    _note_reversal(box, attempt, now, begun=True)\n",
            ),
        ),
        Crashed("reversed unheard, then approved"),
        "told 990 fen, the gateway took 0",
    ),
    Bug(
        "a payment that the gateway does not know is given up before it cannot arrive any more",
        "P3",
        (
            Edit(
                "edge/services/resolve_attempts.py",
                "LATEST_ARRIVAL_MS = 360_000",
                "LATEST_ARRIVAL_MS = 15_000",
            ),
        ),
        Crashed("shopper left, payment late"),
        "fen were taken",
    ),
    Bug(
        "nobody is told of money that came after its shopper had left",
        "P21",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "        raise_work(unit, box, now, WorkKind.LATE_PAYMENT, attempt.attempt_id, facts, order.business_day)\n",
                "",
            ),
        ),
        Crashed("shopper left, payment late"),
        "were paid behind their shoppers",
    ),
    Bug(
        "asking for a refund again after a crash is another refund",
        "P16",
        (
            Edit(
                "edge/services/refund_order.py",
                "        known = unit.refunds.get(ask.refund_id)\n        if known is not None:\n            return known\n        asked, plan =",
                "        asked, plan =",
            ),
        ),
        Crashed("till in parts, returned"),
        "Returner is not done",
    ),
    Bug(
        "cash is given for a refund without asking once more whether it arrived",
        "P16",
        (
            Edit(
                "edge/services/refund_order.py",
                "    _ask_once_more(box, refund_id, leg_id, cash=cash_at is not None)\n",
                "",
            ),
        ),
        Crashed("refund abnormal, settled at the gateway"),
        "HQ heard of refunds .*, the gateway gave",
    ),
    Bug(
        "a refund leg is booked and told in two transactions",
        "P6",
        (
            Edit(
                "edge/services/settle_refund.py",
                "    unit.ledger.post(post_refund_leg(box.ids.new_id(), refund, leg, now.wall_at))\n",
                '    if leg.kind == "cash":\n        unit.ledger.post(post_refund_leg(box.ids.new_id(), refund, leg, now.wall_at))\n',
            ),
            Edit(
                "edge/services/settle_refund.py",
                "    refund = box.store.write(work)\n    box.changed(refund.workstation)\n    return refund\n",
                "    before = box.store.read(lambda unit: find_leg(unit, refund_id, leg_id)[1].state)\n"
                "    refund = box.store.write(work)\n"
                "    leg = next(one for one in refund.legs if one.leg_id == leg_id)\n"
                "    if leg.state is LegState.DONE and before is not LegState.DONE:\n"
                "        box.store.write(lambda unit: unit.ledger.post(post_refund_leg(box.ids.new_id(), refund, leg, now.wall_at)))\n"
                "    box.changed(refund.workstation)\n"
                "    return refund\n",
            ),
        ),
        Crashed("refund lost then slow"),
        "the books hold",
    ),
    Bug(
        "a share is sent before it is written down as sent, and as it was read before",
        "P6",
        (
            Edit(
                "edge/services/resolve_splits.py",
                "    submitted = replace(split, state=SplitState.SUBMITTED)\n    unit.splits.put(submitted)\n    return submitted\n",
                "    return split\n",
            ),
        ),
        Crashed("merged tickets, by code, given back while a share is in doubt"),
        "the gateway left shares with",
    ),
    Bug(
        "a share that arrived is booked in a transaction after the one that ends it",
        "P6",
        (
            Edit(
                "edge/services/resolve_splits.py",
                "        book_shares(unit, box, done, now)\n",
                "",
            ),
            Edit(
                "edge/services/resolve_splits.py",
                "            unit, box.ids, now, box.origin, EventKind.PAYMENT_SHARED, done.split_id, data, done.order_id\n        )\n\n    box.store.write(work)\n",
                "            unit, box.ids, now, box.origin, EventKind.PAYMENT_SHARED, done.split_id, data, done.order_id\n        )\n\n    box.store.write(work)\n"
                "    box.store.write(lambda unit: book_shares(unit, box, unit.splits.get(split.split_id), now))\n",
            ),
        ),
        Crashed("merged tickets, by code, shared and given back"),
        "fen of what was brought back",
    ),
    Bug(
        "a tenant's share is asked back under a new number when the answer was lost",
        "P6",
        (
            Edit(
                "edge/services/resolve_splits.py",
                "    return gateway.give_back(ask) if answer.state is SharingState.ABSENT else answer\n",
                '    return gateway.give_back(replace(ask, return_no=ask.return_no + "2"))\n',
            ),
        ),
        Crashed("merged tickets, by code, shared and given back"),
        "the gateway left shares with",
    ),
    Bug(
        "what went back of a tenant's part is not taken out of what reached the tenant",
        "P6",
        (
            Edit(
                "edge/services/settle_refund.py",
                "    unreach(unit, box, refund, leg, now)\n",
                "",
            ),
        ),
        Crashed("merged tickets, combined by phone, given back"),
        "fen of what was brought back",
    ),
    Bug(
        "a difference that a bill shows is raised again at each comparison",
        "P20",
        (
            Edit(
                "edge/services/reconcile.py",
                "        item = raise_work(unit, box, now, WorkKind.BILL_DIFFERENCE, reference_of(source, one), facts, day)\n",
                '        item = raise_work(unit, box, now, WorkKind.BILL_DIFFERENCE, f"{reference_of(source, one)}/{now.wall_at}", facts, day)\n',
            ),
        ),
        Crashed("bill compared"),
        "the comparison found",
    ),
    Bug(
        "a bill's page is marked before the bill was read whole",
        "P20",
        (
            Edit(
                "edge/services/reconcile.py",
                "        _compare(box, source, day.isoformat(), rows, tally)\n",
                "        _compare(box, source, day.isoformat(), rows, tally)\n        _mark(box, tally, day.isoformat())\n",
            ),
        ),
        "tests/unit/test_reconcile.py",
        'billed_on == ""',
    ),
    Bug(
        "cash that was put down once is booked again at a second tap",
        "P6",
        (
            Edit(
                "edge/services/take_cash.py",
                "if due_fen is not None and due_fen != order.due_fen:",
                "if due_fen is not None and due_fen < order.due_fen:",
            ),
        ),
        Crashed("till in parts, cash tapped twice"),
        "the books hold 800 fen of cash, people left 400 to 400",
    ),
    Bug(
        "the cash of a closed shift counts for the next one as well",
        "P19",
        (
            Edit(
                "edge/services/close_shift.py",
                "    through = max(unit.shifts.position(), shift.after)\n",
                "    through = shift.after\n",
            ),
        ),
        "tests/property/test_shifts.py",
        r"shift\.expected_fen == self\.drawer_fen",
    ),
    Bug(
        "an order of a phone is given up here and not closed at the gateway",
        "P32",
        (
            Edit(
                "edge/services/resolve_attempts.py",
                "        return _close_order(box, attempt) if overdue and answer.state in _UNCLEAR else answer\n",
                "        return replace(answer, state=PaymentState.VOIDED) if overdue and answer.state in _UNCLEAR else answer\n",
            ),
        ),
        Crashed("phone payment at the kiosk, pays late"),
        "fen were taken",
    ),
    Bug(
        "a phone's order whose answer was lost is asked for again under another number",
        "P32",
        (
            Edit(
                "edge/services/pay_by_phone.py",
                "    asked = PhoneOrder(\n        merchant_order_no=attempt.merchant_order_no,\n",
                '    asked = PhoneOrder(\n        merchant_order_no=attempt.merchant_order_no + ("2" if attempt.trail else ""),\n',
            ),
        ),
        Crashed("phone payment, answers lost", "calm"),
        "fen were taken and nobody was told",
    ),
    Bug(
        "a tenant pays commission on what was brought back",
        "P6",
        (Edit("edge/services/refund_order.py", "    resettle_tenants(unit, box, order, refund, now)\n", ""),),
        Crashed("merged tickets, by code, shared and given back"),
        "sold .*, returned",
    ),
)
