"""What is laid on a box: units that systemd takes, an install that may be repeated, a prepare that speaks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = (
    "mall-edge.service",
    "mall-edge.target",
    "mall-edge-alarm.service",
    "mall-kiosk@K01.service",
    "mall-agent.service",
    "mall-edge-backup.service",
    "mall-edge-backup.timer",
)
#: Programs that the units start; the first and the last two are not part of the tree.
PROGRAMS = ("opt/mall-edge/.venv/bin/python", "usr/bin/cage", "usr/bin/chromium")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the tree with these variables changed; return what it said."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of a machine: this host's own units, our install, and stubs for the programs it starts."""
    root = tmp_path_factory.mktemp("machine")
    done = run("systemd/install", "--prefix", root)
    assert done.returncode == 0, done.stderr
    units = Path("/usr/lib/systemd/system")
    if units.is_dir():
        shutil.copytree(units, root / "usr/lib/systemd/system", symlinks=True)
    for program in PROGRAMS:
        path = root / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="ascii")
        path.chmod(0o755)
    return root


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_to_say_about_a_unit(machine: Path, unit: str) -> None:
    found = run("systemd-analyze", "verify", f"--root={machine}", "--recursive-errors=one", unit)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@needs_systemd
def test_verify_as_used_here_finds_a_misspelt_setting_and_a_program_that_is_not_there(machine: Path) -> None:
    text = (ROOT / "systemd/mall-edge.service").read_text(encoding="utf-8")
    wrong = machine / "etc/systemd/system/wrong.service"
    wrong.write_text(text.replace("WatchdogSec", "WatchdgSec").replace("bin/python", "bin/pyton"), "utf-8")
    found = run("systemd-analyze", "verify", f"--root={machine}", "--recursive-errors=one", "wrong.service")
    wrong.unlink()
    assert found.returncode != 0
    assert "WatchdgSec" in found.stderr
    assert "bin/pyton is not executable" in found.stderr


@needs_systemd
@pytest.mark.parametrize(
    ("unit", "at_most"),
    [
        ("mall-edge.service", 12),
        ("mall-edge-alarm.service", 20),
        ("mall-agent.service", 12),
        ("mall-edge-backup.service", 12),
    ],
)
def test_a_service_is_exposed_no_more_than_was_agreed(unit: str, at_most: int) -> None:
    unit_file = ROOT / "systemd" / unit
    found = run("systemd-analyze", "security", "--offline=true", f"--threshold={at_most}", unit_file)
    assert found.returncode == 0, found.stdout[-200:]


def test_the_unit_gives_what_the_program_relies_on() -> None:
    lines = (ROOT / "systemd/mall-edge.service").read_text(encoding="utf-8").splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=30",
        "StateDirectory=mall-edge",
        "RuntimeDirectory=mall-edge",
        "LoadCredential=keys:/etc/mall-edge/keys",
        "Restart=always",
        "StartLimitBurst=5",
        "OnFailure=mall-edge-alarm.service",
    ):
        assert line in lines


def test_a_second_install_updates_the_program_and_keeps_the_settings(tmp_path: Path) -> None:
    assert run("systemd/install", "--prefix", tmp_path, "--example", "gate").returncode == 0
    settings = tmp_path / "etc/mall-edge/edge.toml"
    assert settings.read_text("utf-8") == (ROOT / "systemd/examples/gate.toml").read_text("utf-8")
    settings.write_text("mine", "utf-8")
    stray, program = tmp_path / "opt/mall-edge/edge/gone.py", tmp_path / "opt/mall-edge/edge/workers.py"
    stray.touch()
    program.write_text("old", "utf-8")
    again = run("systemd/install", "--prefix", tmp_path)
    assert (again.returncode, "kept" in again.stdout) == (0, True)
    assert settings.read_text("utf-8") == "mine"
    assert not stray.exists()
    assert program.read_bytes() == (ROOT / "edge/workers.py").read_bytes()
    assert not list((tmp_path / "opt/mall-edge").rglob("__pycache__"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--example", "lift"], "choose kiosk, counter, gate or agent"), (["--fast"], "unknown option --fast")],
)
def test_install_refuses_what_it_does_not_know(arguments: Sequence[str], words: str, tmp_path: Path) -> None:
    done = run("systemd/install", "--prefix", tmp_path, *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


# systemd/prepare on machines that lack something. The machine is a PATH with only these programs on it.

PLAIN = ("bash", "dirname", "cat", "sed", "touch", "env")


def poor_machine(folder: Path, uid: int, **stubs: str) -> Path:
    """Return a PATH with plain programs, an `id` that says `uid`, and shell stubs of others."""
    place = folder / "bin"
    place.mkdir()
    for name in PLAIN:
        found = shutil.which(name)
        assert found, name
        (place / name).symlink_to(found)
    (place / "python3").symlink_to(Path(sys.executable).resolve())
    for name, script in {"id": f"echo {uid}", **stubs}.items():
        stub = place / name
        stub.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        stub.chmod(0o755)
    return place


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh copy of what `make` needs, without an environment."""
    place = tmp_path / "clone"
    for name in ("systemd/prepare", "requirements.txt", "sim/requirements.txt", "tests/requirements.txt"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)
    return place


def prepare(clone: Path, path: Path, target: str = "tests", **environment: str) -> tuple[int, str]:
    """Run systemd/prepare with that PATH; return its exit code and words."""
    done = run(clone / "systemd/prepare", target, PATH=str(path), **environment)
    return done.returncode, done.stdout + done.stderr


def test_without_apt_the_missing_packages_are_named(clone: Path, tmp_path: Path) -> None:
    code, words = prepare(clone, poor_machine(tmp_path, 0))
    assert code == 1
    assert "chromium" in words
    assert "This system has no apt-get; install them by its own means" in words


def test_without_root_and_sudo_the_command_to_ask_for_is_given(clone: Path, tmp_path: Path) -> None:
    code, words = prepare(clone, poor_machine(tmp_path, 1000, **{"apt-get": "exit 0"}))
    assert code == 1
    assert "Run as root or with sudo, or ask for: apt-get install" in words


def test_a_sudo_that_would_ask_is_not_waited_for(clone: Path, tmp_path: Path) -> None:
    path = poor_machine(tmp_path, 1000, **{"apt-get": "exit 0", "sudo": "exit 1"})
    code, words = prepare(clone, path)
    assert code == 1
    assert "sudo asks for a password here; run: sudo apt-get install" in words


def test_without_network_for_packages_it_says_so(clone: Path, tmp_path: Path) -> None:
    code, words = prepare(clone, poor_machine(tmp_path, 0, **{"apt-get": "exit 100"}))
    assert code == 1
    assert "installing Debian packages: " in words
    assert "is there a network?" in words


@pytest.mark.parametrize("python", ["/nowhere/python3.11", "false"])
def test_a_python_that_is_missing_or_too_old_is_named(clone: Path, tmp_path: Path, python: str) -> None:
    path = poor_machine(tmp_path, 0, false="exit 1")
    code, words = prepare(clone, path, PYTHON=python)
    assert code == 1
    assert f"{python} is missing or older than Python 3.11; set PYTHON=" in words


def test_without_a_package_index_it_says_so_and_a_repeat_mends_what_was_half_made(clone: Path) -> None:
    broken = clone / ".venv/bin"
    broken.mkdir(parents=True)
    (broken / "python").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    (broken / "python").chmod(0o755)
    dead = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
    }
    done = run(clone / "systemd/prepare", "service", **dead)
    assert done.returncode == 1
    assert "making the Python environment" in done.stdout
    assert "pip could not install the requirements. Is there a network?" in done.stderr
    assert not (clone / ".venv/service").exists()
    assert run(clone / ".venv/bin/python", "-m", "pip", "--version").returncode == 0


def test_make_alone_lists_every_target() -> None:
    done = run("make")
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = text.split(".PHONY:")[1].splitlines()[0].split()
    assert done.returncode == 0
    assert targets
    for target in targets:
        assert f"make {target}\t" in done.stdout


def test_an_agent_is_installed_with_its_own_settings_and_not_those_of_a_box(tmp_path: Path) -> None:
    assert run("systemd/install", "--prefix", tmp_path, "--example", "agent").returncode == 0
    example = (ROOT / "systemd/examples/agent.toml").read_text("utf-8")
    assert (tmp_path / "etc/mall-edge/agent.toml").read_text("utf-8") == example
    assert not (tmp_path / "etc/mall-edge/edge.toml").exists()
    unit = (tmp_path / "etc/systemd/system/mall-agent.service").read_text("utf-8")
    assert "--config /etc/mall-edge/agent.toml" in unit
