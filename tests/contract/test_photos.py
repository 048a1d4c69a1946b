"""Port Photos: the same promises from the fake and from the folder on the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from devices.types import Photo
from edge.services.photo_ports import Photos
from edge.store.photo_folder import MAX_BYTES, PhotoFolder
from sim.fakes.photos import FakePhotos

MONDAY, TUESDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 20)
SCENE, PLATE = Photo("scene", b"\xff\xd8" + b"s" * 98), Photo("plate", b"\xff\xd8" + b"p" * 48)

RIGS: dict[str, Callable[[Path], Photos]] = {
    "fake": lambda _folder: FakePhotos(),
    "folder": lambda folder: PhotoFolder(folder / "photos"),
}


@pytest.fixture(params=RIGS)
def photos(request: pytest.FixtureRequest, tmp_path: Path) -> Photos:
    return RIGS[request.param](tmp_path)


def test_pictures_come_back_by_name_the_scene_first(photos: Photos) -> None:
    names = photos.keep(MONDAY, "in-1", "k", (PLATE, SCENE))
    assert [photos.fetch(name) for name in names] == [SCENE.jpeg, PLATE.jpeg]
    assert all(name.startswith("2026-11-16/") for name in names)


def test_the_same_read_gives_the_same_names_and_is_kept_once(photos: Photos) -> None:
    first = photos.keep(MONDAY, "in-1", "k", (SCENE,))
    assert photos.keep(MONDAY, "in-1", "k", (SCENE,)) == first
    assert photos.keep(MONDAY, "in-2", "k", (SCENE,)) != first
    assert photos.figures().files == 2


@pytest.mark.parametrize(
    "name", ["", "../edge.db", "2026-11-16/../../edge.db", "2026-11-16/x.jpg", "/etc/passwd"]
)
def test_a_name_that_is_none_gives_nothing(photos: Photos, name: str) -> None:
    assert photos.fetch(name) is None


def test_a_picture_that_is_too_large_is_left_out_and_counted(photos: Photos) -> None:
    large = Photo("scene", b"\xff\xd8" + bytes(MAX_BYTES))
    assert len(photos.keep(MONDAY, "in-1", "k", (large, PLATE))) == 1
    assert photos.figures().lost == 1


def test_days_that_are_too_old_go(photos: Photos) -> None:
    old = photos.keep(MONDAY, "in-1", "a", (SCENE, PLATE))
    new = photos.keep(FRIDAY, "in-1", "b", (SCENE,))
    assert photos.tidy(TUESDAY, 1_000_000) == 2
    assert [photos.fetch(name) for name in (*old, *new)] == [None, None, SCENE.jpeg]
    assert photos.figures().files == 1
    assert photos.figures().size_bytes == 100


def test_the_oldest_days_go_when_it_is_too_much_and_the_latest_stays(photos: Photos) -> None:
    for day in (MONDAY, TUESDAY, FRIDAY):
        photos.keep(day, "in-1", day.isoformat(), (SCENE,))
    assert photos.tidy(MONDAY, 250) == 1
    assert photos.tidy(MONDAY, 0) == 1
    assert photos.figures().files == 1
    assert photos.tidy(MONDAY, 0) == 0


def test_a_disk_that_takes_nothing_costs_the_picture_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("a file where the folder should be")
    folder = PhotoFolder(tmp_path / "photos")
    assert folder.keep(MONDAY, "in-1", "k", (SCENE,)) == ()
    assert folder.figures().lost == 1


def test_pictures_are_for_the_services_user_and_group_alone(tmp_path: Path) -> None:
    [name] = PhotoFolder(tmp_path / "photos").keep(MONDAY, "in-1", "k", (SCENE,))
    assert (tmp_path / "photos" / name).stat().st_mode & 0o007 == 0
    assert (tmp_path / "photos" / name).parent.stat().st_mode & 0o007 == 0
