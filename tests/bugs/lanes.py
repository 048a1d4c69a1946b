"""Bugs of the car park."""

from __future__ import annotations

from tests.bugs.bug import Bug, Crashed, Edit

LANES = (
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
        Crashed("parking validated, then given back"),
        "its parking is \\['granted'\\]",
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
        Crashed("car: paid at the exit", "quick restart"),
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
        r"ECHOED: 'echoed'> is <Opening\.OLD",
    ),
    Bug(
        "whoever paid at the exit is not let go",
        "P23",
        (Edit("edge/services/settle_stays.py", "        note_settled(unit, box, session_id, now)\n", ""),),
        Crashed("exit by code"),
        "0 openings, 1000 fen settled",
    ),
    Bug(
        "the gate is pulsed before it is written down as commanded",
        "P22",
        (
            Edit(
                "edge/services/open_lane.py",
                "    sent = commanded(command, now.wall_at)\n    unit.gate_commands.change(sent)\n",
                "    sent = commanded(command, now.wall_at)\n",
            ),
        ),
        Crashed("car: paid at the exit", "quick restart"),
        "was pulsed",
    ),
    Bug(
        "a pulse that the board did not echo is sent again",
        "P22",
        (
            Edit(
                "edge/services/open_lane.py",
                "        at = box.clock.now().wall_at\n        return _close(box, lane, advanced(command, GateCommandState.DOUBTFUL, at, str(error)))\n",
                "        return _close(box, lane, not_sent(command, str(error)))\n",
            ),
        ),
        Crashed("car: gates that do not echo"),
        "was pulsed",
    ),
    Bug(
        "a debt stays open when the payment in doubt proves good",
        "P26",
        (
            Edit(
                "edge/services/settle_stays.py", "        _settle_debts(unit, box, order, settled, now)\n", ""
            ),
        ),
        Crashed("exit by code, answer lost"),
        "the debt is open",
    ),
    Bug(
        "the charge of an owner is sent under a new number each time",
        "P1",
        (
            Edit(
                "edge/services/autopay.py",
                "        merchant_order_no=attempt.merchant_order_no,\n        amount_fen=attempt.amount_fen,\n        description=f",
                '        merchant_order_no=box.ids.new_id().replace("-", ""),\n        amount_fen=attempt.amount_fen,\n        description=f',
            ),
        ),
        Crashed("car: owner charged after leaving"),
        "500 fen were taken and nobody was told",
    ),
    Bug(
        "an owner is charged before the car has left",
        "P26",
        (
            Edit(
                "edge/services/autopay.py",
                "        if session is None or session.state is not SessionState.LEFT:\n",
                "        if session is None:\n",
            ),
        ),
        Crashed("car: owner charged after leaving"),
        "were charged while",
    ),
    Bug(
        "what an owner could not be charged is no debt",
        "P26",
        (
            Edit(
                "edge/services/settle_attempt.py",
                "        _owe(unit, box, order, now)\n",
                "        pass\n",
            ),
        ),
        Crashed("car: owner refuses to be charged"),
        "nobody wrote it down",
    ),
    Bug(
        "validated parking is good for the next visit as well",
        "P25",
        (
            Edit(
                "edge/services/lane_stays.py",
                "    use_validations(unit, box, session, quote, now)\n",
                "",
            ),
        ),
        Crashed("car: exit with validation"),
        "good for another visit",
    ),
    Bug(
        "a car that turned back at the entry stays inside",
        "P48",
        (
            Edit(
                "edge/services/lane_stays.py",
                "    gone = replace(session, state=SessionState.NEVER_ENTERED, changed_at=now.wall_at)\n    unit.sessions.put(gone)\n",
                "    gone = replace(session, state=SessionState.NEVER_ENTERED, changed_at=now.wall_at)\n",
            ),
        ),
        Crashed("car: turns back at the entry, comes again"),
        "1 stays began, 1 never were",
        quick=True,
    ),
    Bug(
        "a car that turned back unseen has a second stay when a guard lets it in",
        "P48",
        (
            Edit(
                "edge/services/lane_stays.py",
                "    if inside and is_same_visit(unit, lane, inside[0], now):\n",
                "    if not inside and passage.session_id:\n",
            ),
        ),
        Crashed("car: turns back at the entry, comes again", "slow"),
        "1 cars; 2 stays began",
    ),
    Bug(
        "who pays for a minute where no loop sees it is taken for gone",
        "P48",
        (
            Edit(
                "edge/parking/lane_sensors.py",
                "    return clear_for(passage, now) >= (rules.ghost * 2 if rules.sees_waiting else rules.unseen)\n",
                "    return clear_for(passage, now) >= rules.ghost * 2\n",
            ),
        ),
        Crashed("car: first loops that hang", "lossy"),
        "0 cars are inside, 1 are counted",
    ),
    Bug(
        "how long an opening waits is told by the wall clock",
        "P22",
        (
            Edit(
                "edge/services/open_lane.py",
                "    return now.boottime_ns - command.decided_ns > box.parking.times.command_s * 1_000_000_000\n",
                "    return now.wall_at - command.decided_at > box.parking.times.command_s * 1_000\n",
            ),
        ),
        "tests/unit/test_services_lane_rest.py",
        r"OLD: 'old'> is <Opening\.ECHOED",
    ),
    Bug(
        "a car that drove out before its boom was seen up, while nobody looked, has turned back",
        "P48",
        (
            Edit(
                "edge/parking/lane_sensors.py",
                "        if passage.blind and rules.loops:\n            # Its gate was to open while nobody looked, and it is gone: it went through.\n            return through_and_over(passage, now)\n",
                "",
            ),
        ),
        Crashed("car: unreadable at the exit"),
        "its stay .* is inside",
    ),
    Bug(
        "parking is validated in a transaction after the payment's",
        "P25",
        (
            Edit(
                "edge/services/complete_order.py",
                "    validated = validate_purchase(unit, box, order, now)\n",
                "",
            ),
            Edit("edge/services/complete_order.py", ", parked=bool(validated.validations))", ")"),
            Edit(
                "edge/services/settle_attempt.py",
                "    attempt, place = box.store.write(work)\n",
                "    attempt, place = box.store.write(work)\n"
                "    if attempt.state is AttemptState.APPROVED:\n"
                "        from edge.services.validate_purchase import validate_purchase\n\n"
                "        box.store.write(lambda unit: validate_purchase(unit, box, unit.orders.get(attempt.order_id), now))\n",
            ),
        ),
        Crashed("parking validated, then given back"),
        "parking was validated for",
    ),
    Bug(
        "HQ's opening of a gate that was cut off is carried out again when the command comes again",
        "P22",
        (
            Edit(
                "edge/services/obey_command.py",
                "    if known is not None:\n        return Obeyed(known, repeated=True)\n    record = _begun(",
                "    if known is not None:\n        return Obeyed(known, repeated=known.state is not CommandState.BEGUN)\n    record = _begun(",
            ),
            Edit(
                "edge/services/obey_command.py",
                "    if not box.store.read(lambda unit: unit.commands.begun(1)):\n        return 0\n",
                "    return 0\n",
            ),
        ),
        Crashed("car: let out by HQ"),
        "its gate was opened 2 times",
    ),
)
