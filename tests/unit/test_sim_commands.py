"""The simulator's commands refuse counts that are none and options that would have no effect."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from sim.cli import main

USAGE = 2


@pytest.mark.parametrize(
    "command",
    [
        "day --orders -1",
        "day --cars -1",
        "explore --stride 0",
        "explore --workers -1",
        "power-cuts --every 0",
        "power-cuts --at 0",
        "io-faults --every 0",
        "io-faults --at -1",
        "kills --every 0",
        "kills --most 0",
        "kills --again -1",
        "kills --workers 0",
        "parking-day --cars 0",
        "crowd --shoppers 0",
        "fleet --boxes 0",
    ],
)
def test_a_count_that_is_none_is_refused_with_its_range(command: str) -> None:
    said = CliRunner().invoke(main, command.split())
    assert said.exit_code == USAGE
    option, number = command.split()[1:]
    assert f"Invalid value for '{option}': {number} is not in the range x>=" in said.output


ONE_WORKLOAD = "name it with one --workload"
ONE_CALL = "--at needs one --scenario and one --fault"
KIOSK = ("--scenario", "kiosk by code")


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("power-cuts", "--at", "5"), ONE_WORKLOAD),
        (("power-cuts", "--at", "5", "--workload", "catalogues", "--workload", "refund lost"), ONE_WORKLOAD),
        (("io-faults", "--at", "5"), ONE_CALL),
        (("io-faults", "--at", "5", *KIOSK), ONE_CALL),
        (("io-faults", "--at", "0", "--fault", "full"), ONE_CALL),
        (("io-faults", "--at", "5", *KIOSK, "--fault", "full", "--fault", "read error"), ONE_CALL),
        (("power-cuts", "--at", "5", "--workload", "refund lost", "--every", "2"), "leave out --every"),
        (("io-faults", "--at", "5", *KIOSK, "--fault", "full", "--every", "2"), "leave out --every"),
        (("explore", "--replay", "1:", "--pairs", "--stride", "3"), "leave out --pairs, --stride"),
        (("explore", "--whole"), "--whole belongs to --replay"),
        (("kills", "--at", "5", "--every", "2", "--most", "9"), "leave out --every, --most"),
        (("kills", "--broker", "--cold"), "leave out --cold"),
        (("kills", "--broker", "--journey", "kiosk", "--workers", "2"), "leave out --journey, --workers"),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused_with_the_remedy(
    command: tuple[str, ...], remedy: str
) -> None:
    said = CliRunner().invoke(main, command)
    assert said.exit_code == USAGE
    assert remedy in said.output


def test_a_fault_that_is_none_is_refused_with_those_that_there_are() -> None:
    said = CliRunner().invoke(main, ["io-faults", "--fault", "flood"])
    assert said.exit_code == 1
    assert "there is no fault 'flood'; there are full once, full, write error once" in said.output


@pytest.mark.parametrize(
    "command", ["mall --hq-port 99999", "printer out --tcp 65536", "relay --broker-port -1"]
)
def test_a_port_that_is_none_is_refused_with_the_range(command: str) -> None:
    said = CliRunner().invoke(main, command.split())
    assert said.exit_code == USAGE
    assert "is not in the range 0<=x<=65535" in said.output
