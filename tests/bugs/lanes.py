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
        "Opening.OLD",
    ),
    Bug(
        "whoever paid at the exit is not let go",
        "P23",
        (Edit("edge/services/settle_stays.py", "        note_settled(unit, box, session_id, now)\n", ""),),
        Crashed("exit by code"),
        "0 openings, 1000 fen settled",
    ),
)
