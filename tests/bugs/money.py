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
        "broke off: RefundRefused|HQ heard of refunds",
    ),
)
