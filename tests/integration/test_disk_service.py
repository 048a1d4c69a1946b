"""The running service on a disk that fills up: screens close and open by themselves, payments go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edge.service import Service
from edge.services.import_catalogue import ImportOptions
from edge.store.intake_folder import IntakeFolder
from sim.fakes.box import COLA, KIOSK
from sim.fakes.disk import FakeDisk
from sim.fakes.gateway import FakeGateway
from tests.integration.test_money_service import Running, eventually

MIB = 1024 * 1024
TOTAL = 10_000 * MIB
GOODS = b"sku,tenant_id,tenant_name,name,price\nA1,t,Shop,Tea,5.00\n"


class Full(Running):
    """A service whose disk is filled and emptied by hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FakeGateway())
        self.disk = FakeDisk(TOTAL, 9_000 * MIB, 32 * MIB)
        self.intake = IntakeFolder(folder / "incoming")
        self.service.web.close()
        self.service = Service(replace(self.service._parts, disk=self.disk, intake=self.intake))
        self.box = self.service.box

    def fill(self, free_mb: int) -> None:
        """Leave so much free, and let the service look."""
        self.disk.free_bytes = free_mb * MIB
        for worker in self.service._supervisor.workers:
            if worker.name == "disk":
                worker.wake()

    def shows(self, screen: str) -> Callable[[], bool]:
        return lambda: self.view(KIOSK)["screen"] == screen


@contextmanager
def on_disk(folder: Path) -> Iterator[Full]:
    made = Full(folder)
    made.service.start()
    try:
        yield made
    finally:
        made.service.stop()


def test_an_idle_kiosk_closes_with_the_reason_and_opens_by_itself(tmp_path: Path) -> None:
    with on_disk(tmp_path) as it:
        version = it.service.changes.version(KIOSK)
        it.fill(100)
        eventually(it.shows("closed"), "the closed screen")
        assert it.view(KIOSK)["closed"] == "disk_full"
        assert it.service.changes.version(KIOSK) > version
        it.scanner.scan(COLA)
        recent = lambda: it.store.read(lambda unit: unit.scans.recent(KIOSK, 1))  # noqa: E731
        eventually(lambda: [one.outcome for one in recent()] == ["closed"], "the scan on record")
        assert it.view(KIOSK)["basket"] is None
        it.fill(9_000)
        eventually(it.shows("attract"), "the shop to open")
        urgent = it.store.read(lambda unit: unit.outbox.window(0, 99, urgent=True))
        told = it.service.box.link.applied  # type: ignore[attr-defined]  # the fake HQ
        kinds = [one.kind for one in (*told, *urgent) if one.kind.startswith("alarm.")]
        assert kinds[:1] == ["alarm.raised"]


def test_an_order_that_was_begun_is_paid_while_the_disk_is_full(tmp_path: Path) -> None:
    with on_disk(tmp_path) as it:
        it.order(KIOSK)
        it.fill(100)
        eventually(lambda: it.service._closed() == "disk_full", "the disk to be full")
        assert it.view(KIOSK)["screen"] == "checkout"
        it.service._desk.act(KIOSK, "cash", {"received_fen": 10_000})
        assert it.view(KIOSK)["screen"] == "paid"


def test_a_catalogue_is_refused_with_what_to_do_while_the_disk_is_nearly_full(tmp_path: Path) -> None:
    with on_disk(tmp_path) as it:
        it.fill(900)
        eventually(lambda: it.service._disk.word().level == "scarce", "the disk to be scarce")
        it.intake.put_catalogue("goods.csv", GOODS, ImportOptions())
        eventually(lambda: it.intake.seen("goods.csv") is not None, "the report")
        report = it.intake.seen("goods.csv")
        assert report is not None
        assert "make room" in str(report)
        assert it.view(KIOSK)["screen"] == "attract"


def test_status_and_metrics_tell_how_full_the_disk_is(tmp_path: Path) -> None:
    with on_disk(tmp_path) as it:
        it.fill(1_500)
        eventually(lambda: it.service._disk.word().level == "low", "the disk to be low")
        disk = it.service._desk.status()["disk"]
        assert isinstance(disk, dict)
        assert disk["level"] == "low"
        assert "% of the disk is free" in disk["sentence"]
        text = it.service._desk.metrics()
        assert "mall_edge_disk_level 1\n" in text
        assert "mall_edge_disk_free_bytes 1" in text
        assert "mall_edge_outbox_rejected_events 0\n" in text
