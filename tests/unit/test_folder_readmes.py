"""The READMEs of the folders name what is there: whoever looks for something begins with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"`([a-z_0-9]+(?:\.py|/)(?:[a-z_0-9]+/)*)`")


def named(folder: str) -> set[str]:
    """Return the modules ("x.py") and folders ("x/") that a README speaks of."""
    return set(NAMES.findall((ROOT / folder / "README.md").read_text()))


def there(folder: str) -> set[str]:
    """Return the modules and packages that are right below a folder, without its private ones."""
    found = {one.name for one in (ROOT / folder).glob("[a-z]*.py")}
    return found | {f"{one.parent.name}/" for one in (ROOT / folder).glob("[a-z]*/__init__.py")}


@pytest.mark.parametrize("folder", ["devices", "edge", "sim"])
def test_what_a_readme_names_is_there(folder: str) -> None:
    names = named(folder)
    assert len(names) > 8
    lost = {name for name in names if not list((ROOT / folder).rglob(name.rstrip("/")))}
    lost = {name for name in lost if not (ROOT / name).is_dir()}
    assert lost == set()


def test_every_module_and_folder_of_the_devices_is_in_their_readme() -> None:
    assert there("devices") - {"__init__.py"} == there("devices") & named("devices")


def test_every_folder_of_the_service_is_in_its_readme() -> None:
    folders = {name for name in there("edge") if name.endswith("/")}
    assert folders - named("edge") == set()
