"""Every promise names tests that exist; `make test` holds the paper against what ran."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.promises import PAPER, Named, broken, main, named_tests, not_held, ran_tests
from tests.proof import LATER

ROOT = Path(__file__).parents[2]

REPORT = f"""<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="test_one[x]"/>
<testcase classname="tests.unit.test_a" name="test_two"><failure message="no"/></testcase>
<testcase classname="tests.unit.test_b" name="test_three"><skipped message="no strace"/></testcase>
<testcase classname="tests.unit.test_d" name="test_four[a]"/>
<testcase classname="tests.unit.test_d" name="test_four[b]"><skipped message="no gcc"/></testcase>
<testcase classname="tests.unit.test_d" name="test_five"><skipped message="{LATER}"/></testcase>
<testcase classname="tests.unit.test_d" name="test_six"><error message="no"/></testcase>
</testsuite></testsuites>"""


def test_every_promise_names_a_test_that_exists() -> None:
    named = named_tests(PAPER.read_text(encoding="utf-8"))
    assert len({one.promise for one in named}) >= 15
    assert [str(one) for one in named if not _exists(one)] == []


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (Named("P1", "tests/unit/test_a.py", "test_one"), []),
        (Named("P1", "tests/unit/test_a.py", "test_two"), ["P1: tests/unit/test_a.py::test_two failed"]),
        (Named("P1", "tests/unit/test_a.py", ""), ["P1: tests/unit/test_a.py failed"]),
        (Named("P2", "tests/unit/test_b.py", ""), []),
        (Named("P2", "tests/unit/test_d.py", "test_four"), []),
        (
            Named("P2", "tests/unit/test_d.py", "test_five"),
            ["P2: tests/unit/test_d.py::test_five did not run"],
        ),
        (Named("P2", "tests/unit/test_d.py", ""), ["P2: tests/unit/test_d.py failed"]),
        (Named("P3", "tests/unit/test_c.py", "test_x"), ["P3: tests/unit/test_c.py::test_x did not run"]),
    ],
)
def test_a_promise_whose_test_did_not_run_and_pass_is_told(named: Named, says: list[str]) -> None:
    assert list(broken([named], ran_tests(REPORT))) == says


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (Named("P1", "tests/unit/test_a.py", ""), []),
        (
            Named("P2", "tests/unit/test_b.py", ""),
            ["P2: tests/unit/test_b.py is not held here, because no strace"],
        ),
        (
            Named("P2", "tests/unit/test_d.py", "test_four"),
            ["P2: tests/unit/test_d.py::test_four is not held whole here, because no gcc"],
        ),
        (Named("P2", "tests/unit/test_d.py", "test_five"), []),
        (Named("P3", "tests/unit/test_c.py", "test_x"), []),
    ],
)
def test_a_promise_whose_test_wants_what_this_machine_lacks_is_told_with_the_reason(
    named: Named, says: list[str]
) -> None:
    assert list(not_held([named], ran_tests(REPORT))) == says


def test_a_run_that_the_machine_cut_short_says_so_and_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = "".join(
        f'<testcase classname="{one.path.removesuffix(".py").replace("/", ".")}" name="{one.name or "test"}">'
        '<skipped message="no root"/></testcase>'
        for one in named_tests(PAPER.read_text(encoding="utf-8"))
    )
    report = tmp_path / "tests.xml"
    report.write_text(f"<testsuites>{cases}</testsuites>", encoding="utf-8")
    assert main(report) == 0
    assert "P44: tests/system/test_full_disk.py is not held here, because no root" in capsys.readouterr().out


def test_a_promise_without_a_test_is_told() -> None:
    named = named_tests(
        "| P7 | Everything is fine. | nobody |\n| P8 | Or so. | `tests/unit/test_a.py::test_one` |"
    )
    assert list(broken(named, ran_tests(REPORT))) == ["P7:  did not run"]


def test_a_run_that_left_promises_out_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(REPORT, encoding="utf-8")
    assert main(report) == 1
    assert "did not run" in capsys.readouterr().out


def _exists(one: Named) -> bool:
    file = ROOT / one.path
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return one.name in tests if one.name else any(test.startswith("test_") for test in tests)
