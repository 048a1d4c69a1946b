"""docs/operations/commands.md, held to click's own trees; and the other pages of operations."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from edge.cli import main as edge
from sim.cli import main as sim

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations"

#: What a technician must find, and a word that each page cannot do without.
PAGES = {
    "clocks.md": "timedatectl",
    "backup.md": "restore",
    "catalogue.md": "--skip-bad",
    "central-cashier.md": "share_permille",
    "commands.md": "mall-edge",
    "configuration.md": "credential:",
    "counter.md": "guide_override_permille",
    "full-disk.md": "backup restore",
    "funnel.md": "replenish",
    "hq.md": "PostgreSQL",
    "install.md": "systemd/install",
    "power-cut.md": "synchronous",
    "proof.md": "explore",
    "refunds.md": "supervisor",
    "security-hq.md": "certificate_file",
    "landing.md": "bandit",
    "lanes.md": "never opened",
    "members.md": "points_lease",
    "parking-payment.md": "record_debt",
    "parking-plates.md": "look-alikes",
    "passes.md": "hold the spaces",
    "scan-and-go.md": "recheck_permille",
    "shifts.md": "blind",
    "simulator.md": "make demo",
    "tariffs.md": "reentry_min",
    "unknown-payment.md": "outcome",
    "validation.md": "revoke_coupon",
}


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its words."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict([*leaves(edge, "edge"), *leaves(sim, "sim")])


def written() -> dict[str, str]:
    """Return the text of each command's section."""
    text = (OPERATIONS / "commands.md").read_text("utf-8")
    parts = re.split(r"^### `(.+)`\n", text, flags=re.MULTILINE)
    return {
        name: re.split(r"^## ", body, flags=re.MULTILINE)[0]
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def options_of(command: click.Command) -> set[str]:
    """Return the long names of a command's options."""
    options = (one for one in command.params if isinstance(one, click.Option))
    return {name for option in options for name in option.opts if name.startswith("--")}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(written()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_every_option_and_none_that_is_not(name: str) -> None:
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", written()[name])) == options_of(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_has_an_example_that_the_command_takes(name: str) -> None:
    program, *words = name.split()
    starts = (f"python -m {program} ", "sudo mall-edge ") if program == "edge" else (f"python -m {program} ",)
    examples = [line.strip() for line in written()[name].splitlines() if line.startswith("    ")]
    assert examples
    for example in examples:
        plain = example.split(" < ")[0].split(" | ")[-1]
        start = next(one for one in starts if plain.startswith(one))
        arguments = shlex.split(plain.removeprefix(start))
        assert arguments[: len(words)] == words
        command = COMMANDS[name]
        command.make_parser(click.Context(command)).parse_args(arguments[len(words) :])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_operations_is_there_and_to_the_point(page: str) -> None:
    text = (OPERATIONS / page).read_text("utf-8")
    assert text.startswith("# ")
    assert PAGES[page] in text


def test_no_page_of_operations_is_forgotten_here() -> None:
    assert {path.name for path in OPERATIONS.glob("*.md")} == set(PAGES)


def _links() -> Iterator[tuple[str, str]]:
    for path in sorted(OPERATIONS.glob("*.md")):
        for found in re.findall(
            r"(?<![\w/.-])((?:docs|systemd|edge|sim|tests)/[\w./-]+\.\w+)", path.read_text("utf-8")
        ):
            yield path.name, found


@pytest.mark.parametrize(("page", "target"), sorted(set(_links())))
def test_a_file_that_a_page_names_exists(page: str, target: str) -> None:
    assert (ROOT / target).exists(), f"{page} names {target}"


def test_the_commands_of_the_pages_exist() -> None:
    second = "import|export|example|explain|diff|make|check|restore|show|price|status|dead|resend|drop|list"
    second += "|return|ask-now|give-back|close|hold|release|recount"
    said = re.compile(rf"(?:python -m (edge|sim)|(mall-edge)) ([a-z][a-z-]+(?: (?:{second}))?)")
    for path in OPERATIONS.glob("*.md"):
        for program, installed, words in said.findall(path.read_text("utf-8")):
            name = f"{'edge' if installed else program} {words}"
            assert name in COMMANDS or name.rsplit(" ", 1)[0] in COMMANDS, f"{path.name}: {name}"
