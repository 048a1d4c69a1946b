"""The service of one box with every adapter opened."""

from __future__ import annotations

from dataclasses import replace

from edge.app.agents import build_agents
from edge.app.cameras import build_cameras
from edge.app.counter import build_counter
from edge.app.devices import build_devices
from edge.app.gateways import (
    autopay_gateways,
    bill_sources,
    build_gateways,
    callback_readers,
    key_renewers,
    phone_gateways,
    split_gateways,
    tenant_bills,
)
from edge.app.hq_link import build_link
from edge.app.members import build_circle, build_members
from edge.app.parking import build_parking
from edge.app.phone import build_mini_program, build_phone
from edge.app.pictures import SentPictures, build_scan_and_go
from edge.app.rules import (
    build_marks,
    build_rules,
    build_workstation,
    landing_pages,
    minute_of_day,
    web_settings,
)
from edge.app.tenants import build_tenants
from edge.app.touch import build_touch
from edge.clock import SystemClock, wall_ms
from edge.config import (
    Config,
    effective,
)
from edge.errors import Invalid
from edge.hq.unlinked import Unlinked
from edge.ids import TimeOrderedIds
from edge.service import Parts, Service
from edge.services.box import Box
from edge.services.events import Origin
from edge.services.payment_ports import RefundGateway
from edge.services.ports import Clock
from edge.services.staff import StaffBook, StaffMember
from edge.store.bundle_folder import BundleFolder
from edge.store.disk import DataDisk
from edge.store.intake_folder import IntakeFolder
from edge.store.sqlite_store import SqliteStore

DATABASE = "edge.db"
INCOMING = "incoming"
BUNDLES = "bundles"


def build_books(config: Config, store: SqliteStore, clock: Clock, ids: TimeOrderedIds) -> Box:
    """Return a box over that store with its gateways, without printers and without a link to HQ."""
    newest = store.newest_id()
    if newest is not None:
        ids.continue_after(newest)
    gateways = build_gateways(config, clock, ids)
    return Box(
        origin=Origin(config.box.site, config.box.edge),
        clock=clock,
        ids=ids,
        store=store,
        link=Unlinked(),
        gateways=gateways,
        printers={},
        workstations={one.name: build_workstation(one) for one in config.workstation},
        rules=build_rules(config),
        refunders={name: one for name, one in gateways.items() if isinstance(one, RefundGateway)},
        prepayers=phone_gateways(gateways),
        autopayers=autopay_gateways(config, gateways),
        parking=build_parking(config),
        touch=build_touch(config),
        members=build_members(config),
        scan_and_go=build_scan_and_go(config),
        pictures=SentPictures() if config.scan_and_go.tenants else None,
        counter=build_counter(config, clock),
        phone=build_phone(config),
        mini_program=build_mini_program(config, clock),
        tenants=build_tenants(config),
        splitters=split_gateways(config, gateways),
    )


def build_service(config: Config) -> Service:
    """Return the service of one box with every adapter opened; raise Invalid or Corrupt when it cannot be."""
    clock = SystemClock()
    ids = TimeOrderedIds(wall_ms)
    rules, agents, link = build_rules(config), build_agents(config), build_link(config, clock)
    devices = build_devices(config, agents)
    try:
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"box.data_dir {config.box.data_dir} cannot be made: {error.strerror}") from None
    cameras = build_cameras(config, agents)
    devices = replace(
        devices,
        gates=(*devices.gates, *cameras.gates),
        displays=(*devices.displays, *cameras.displays),
    )
    marks = build_marks(config)
    store = SqliteStore(config.box.data_dir / DATABASE, clock.now().wall_at, marks.reserve_bytes)
    box = replace(build_books(config, store, clock, ids), rules=rules, link=link, printers=devices.printers)
    staff = StaffBook([StaffMember(one.name, one.role, one.pin_hash) for one in config.staff], clock)
    intake = IntakeFolder(config.box.data_dir / INCOMING)
    web, landings = web_settings(config), landing_pages(config)
    disk = DataDisk(config.box.data_dir, store)
    return Service(
        Parts(
            box,
            store,
            link,
            devices,
            staff,
            web,
            landings,
            intake,
            disk,
            marks,
            relay=config.hq.relay,
            bundles=BundleFolder(config.box.data_dir / BUNDLES),
            config_text=effective(config),
            bills=(*bill_sources(box.gateways), *tenant_bills(config, box.gateways)),
            bills_from_minute=minute_of_day(config.reconcile.from_time),
            clock_alarm_h=config.box.clock_alarm_h,
            renewers=key_renewers(box.gateways),
            callbacks=callback_readers(box.gateways, clock),
            cameras=cameras.parts,
            circle=build_circle(config, box.gateways),
        )
    )
