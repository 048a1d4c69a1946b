"""TLS between the link and Mosquitto with the configuration that ships: who gets in, and what is told."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.tls import TlsSettings
from edge.services.events import Origin
from edge.services.outbox_records import OutboxMessage
from sim.broker import Broker, BrokerKind, installed
from sim.certificates import DAY_MS, Authority, Issued, Validity
from sim.clocks import unix_ms
from tests.integration.mosquitto_files import Client, Ports, choose_ports, eventually, hq_broker
from tests.unit.hq_samples import CountingIds, MemoryOutbox, record

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not installed(BrokerKind.MOSQUITTO), reason="mosquitto is not installed"),
]

ORIGIN = Origin("demo-mall", "till-1")
NOW = unix_ms()


@dataclass
class House:
    """HQ's broker as it ships, an authority, and links of boxes."""

    folder: Path
    authority: Authority
    ports: Ports
    broker: Broker
    opened: list[Any] = field(default_factory=list)

    def link(self, issued: Issued | None, ca_file: Path | None = None, **settings: Any) -> MqttLink:
        tls = TlsSettings(
            ca_file or self.authority.ca_file,
            issued.certificate if issued else None,
            issued.key if issued else None,
        )
        wanted = {
            "host": "127.0.0.1",
            "port": self.ports.hq,
            "first_delay_s": 0.1,
            "last_delay_s": 0.4,
            "connect_s": 3.0,
            "tls": tls,
        } | settings
        link = MqttLink(LinkSettings(**wanted), ORIGIN, SystemClock())
        link.start()
        self.opened.append(link)
        return link

    def worker(self, name: str = "hq-ingest") -> Client:
        client = Client(self.ports.workers, self.authority, self.authority.issue_client(name), f"{name}-1")
        self.opened.append(client)
        return client

    def box(self, **given: Any) -> Issued:
        return self.authority.issue_box("demo-mall", "till-1", **given)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    authority = Authority(tmp_path / "keys", NOW)
    authority.issue_broker(["127.0.0.1", "localhost"], "hq-broker")
    ports = choose_ports()
    with hq_broker(tmp_path, authority, ports) as broker:
        one = House(tmp_path, authority, ports, broker)
        yield one
        for opened in reversed(one.opened):
            opened.close()


def connected(link: MqttLink) -> None:
    eventually(lambda: link.status().connected, lambda: link.status().detail)


def says(link: MqttLink, *words: str) -> str:
    eventually(
        lambda: all(word in link.status().detail for word in words),
        lambda: f"{words} in {link.status().detail!r}",
    )
    return link.status().detail


def send(link: MqttLink, count: int, ids: CountingIds | None = None) -> tuple[OutboxMessage, ...]:
    outbox = MemoryOutbox()
    record(outbox, ids or CountingIds(), count)
    batch = outbox.window(0, count)
    rest, pause = batch, threading.Event()
    for _ in range(1_000):
        rest = rest[link.send(rest, rest[0].sequence) :]
        if not rest:
            return batch
        pause.wait(0.02)
    raise AssertionError(f"{len(rest)} were never taken")


def test_a_box_with_its_certificate_connects_and_its_events_arrive(house: House) -> None:
    hq = house.worker()
    assert "Granted" in hq.subscribe("mall/+/edge/+/events/v1/#")
    link = house.link(house.box())
    connected(link)
    assert link.status().detail == "connected"
    batch = send(link, 60)
    eventually(lambda: len(hq.heard) >= 60, lambda: f"{len(hq.heard)} of 60")
    assert [body for _, body, _ in hq.heard] == [message.body for message in batch]


def test_many_small_messages_in_one_tls_record_are_all_read(house: House) -> None:
    link = house.link(house.box())
    connected(link)
    hq = house.worker()
    for number in range(1, 101):
        hq.publish("mall/demo-mall/edge/till-1/acks/v1", b'{"through":%d}' % number)
    found: list[Any] = []
    eventually(lambda: found.extend(link.acks()) or len(found) >= 100, lambda: f"{len(found)} acks")
    assert [ack.through_sequence for ack in found] == list(range(1, 101))


def test_an_expired_certificate_of_the_box_is_named_with_the_clock(house: House) -> None:
    link = house.link(house.box(validity=Validity(NOW - 9 * DAY_MS, NOW - DAY_MS)))
    says(link, "expired", "this box's clock says", "hq.certificate_file")
    assert not link.status().connected


def test_a_certificate_of_the_future_points_to_the_clock(house: House) -> None:
    link = house.link(house.box(validity=Validity(NOW + DAY_MS, NOW + 9 * DAY_MS)))
    says(link, "valid only from", "this box's clock says")


def test_a_certificate_of_another_authority_is_refused(house: House) -> None:
    stranger = Authority(house.folder / "stranger", NOW, "another authority")
    link = house.link(stranger.issue_box("demo-mall", "till-1"))
    says(link, "refused this box's certificate", "another authority")


def test_no_certificate_is_asked_for(house: House) -> None:
    link = house.link(None)
    says(link, "wants a certificate", "hq.certificate_file")


def test_a_revoked_certificate_is_refused_from_the_next_connection(house: House) -> None:
    issued = house.box()
    link = house.link(issued)
    connected(link)
    house.authority.revoke(issued)
    house.broker.stop()
    house.broker.start()
    says(link, "revoked", "ask HQ for a new one")


@pytest.mark.parametrize(
    ("validity", "words"),
    [
        (Validity(NOW - 9 * DAY_MS, NOW - DAY_MS), ("has expired", "this box's clock says", "HQ must renew")),
        (Validity(NOW + DAY_MS, NOW + 9 * DAY_MS), ("is not valid yet", "set the clock")),
    ],
    ids=["expired", "not yet valid"],
)
def test_the_brokers_own_certificate_out_of_its_time_is_told_with_the_clock(
    house: House, validity: Validity, words: tuple[str, ...]
) -> None:
    house.broker.stop()
    house.authority.issue_broker(["127.0.0.1"], "hq-broker", validity)
    house.broker.start()
    says(house.link(house.box()), *words)


def test_a_broker_of_an_unknown_authority_is_not_trusted(house: House) -> None:
    stranger = Authority(house.folder / "stranger", NOW, "another authority")
    link = house.link(house.box(), ca_file=stranger.ca_file)
    says(link, "authority that hq.ca_file does not hold")


def test_a_broker_with_another_name_is_not_trusted(house: House) -> None:
    house.broker.stop()
    house.authority.issue_broker(["hq.example"], "hq-broker")
    house.broker.start()
    says(house.link(house.box()), "belongs to another name", "hq.host")


def test_a_box_without_tls_at_a_tls_port_is_told_what_is_missing(house: House) -> None:
    says(house.link(house.box(), tls=None), "set hq.ca_file")


def test_tls_to_a_plain_port_says_so(house: House) -> None:
    with Broker(BrokerKind.MOSQUITTO) as plain:
        link = house.link(house.box(), port=plain.port, connect_s=1.0)
        says(link, "hq.port")


def test_an_old_tls_is_refused_by_both_sides(house: House) -> None:
    assert "tls_version tlsv1.2" in (Path("systemd/mosquitto/hq.conf")).read_text(encoding="utf-8")
    import ssl

    from edge.hq.tls import TlsFiles

    context = TlsFiles(TlsSettings(house.authority.ca_file)).context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_renewed_certificate_is_taken_up_without_losing_anything(house: House) -> None:
    hq = house.worker()
    hq.subscribe("mall/+/edge/+/#")
    old = house.box(validity=Validity(NOW - DAY_MS, NOW + 5 * DAY_MS))
    ids = CountingIds()
    link = house.link(old)
    connected(link)
    says(link, "expires in 4 days", "renew it")
    first = send(link, 20, ids)
    since_ns = link.status().since_ns
    new = house.box(file="renewed")
    # Key first, certificate second, as an installer would: in between they do not fit together.
    shutil.copy(new.key, old.key)
    says(link, "connected with the former certificate", "renew both together")
    assert link.status().since_ns == since_ns
    shutil.copy(new.certificate, old.certificate)
    eventually(
        lambda: link.status().connected and link.status().since_ns > since_ns, lambda: link.status().detail
    )
    assert link.status().detail == "connected"
    second = send(link, 20, ids)
    bodies = {message.body for message in (*first, *second)}
    eventually(
        lambda: bodies <= {body for topic, body, _ in hq.heard if "/events/" in topic},
        lambda: f"{len(hq.heard)} heard",
    )
    states = [body for topic, body, _ in hq.heard if topic.endswith("state/v1")]
    assert all(b'"online"' in state for state in states), "a renewal is no loss of presence"


def test_an_expired_certificate_only_delays_events_until_it_is_renewed(house: House) -> None:
    hq = house.worker()
    hq.subscribe("mall/+/edge/+/events/v1/#")
    old = house.box(validity=Validity(NOW - 9 * DAY_MS, NOW - DAY_MS))
    link = house.link(old)
    says(link, "expired")
    left_s = link.certificate_left_s()
    assert left_s is not None
    assert left_s < 0
    new = house.box(file="renewed")
    shutil.copy(new.key, old.key)
    shutil.copy(new.certificate, old.certificate)
    connected(link)
    batch = send(link, 5)
    eventually(lambda: len(hq.heard) >= 5, lambda: f"{len(hq.heard)} of 5")
    assert [body for _, body, _ in hq.heard] == [message.body for message in batch]


def test_files_that_were_never_usable_are_named_and_watched(house: House) -> None:
    issued = house.box()
    kept = issued.key.read_bytes()
    issued.key.unlink()
    link = house.link(issued)
    says(link, f"hq.key_file {issued.key}", "cannot be read")
    issued.key.write_bytes(b"-----BEGIN nonsense")
    says(link, "cannot be used")
    issued.key.write_bytes(kept)
    connected(link)


def test_a_frozen_broker_is_told_and_nothing_is_lost_when_it_thaws(house: House) -> None:
    hq = house.worker()
    hq.subscribe("mall/+/edge/+/events/v1/#")
    link = house.link(house.box(), stall_s=1.0, connect_s=0.5)
    connected(link)
    os.kill(house.broker.pid, signal.SIGSTOP)
    try:
        batch = send(link, 5)
        says(link, "acknowledged nothing", "see whether the broker hangs")
        says(link, "did not answer in time")
    finally:
        os.kill(house.broker.pid, signal.SIGCONT)
    connected(link)
    send(link, 5)
    bodies = {message.body for message in batch}
    eventually(lambda: bodies <= {body for _, body, _ in hq.heard}, lambda: f"{len(hq.heard)} heard")


@pytest.fixture
def boxes(house: House) -> Callable[[str, str], Client]:
    def begin(edge: str, client_id: str) -> Client:
        issued = house.authority.issue_box("demo-mall", edge)
        client = Client(house.ports.hq, house.authority, issued, client_id)
        house.opened.append(client)
        return client

    return begin


MINE = "mall/demo-mall/edge/till-1"
OTHER = "mall/demo-mall/edge/till-2"


@pytest.mark.parametrize(
    "topic",
    [
        f"{OTHER}/events/v1/order.paid",
        f"{OTHER}/state/v1",
        f"{OTHER}/replies/v1",
        f"{MINE}/acks/v1",
        f"{MINE}/commands/v1",
        f"{MINE}/requests/v1",
        f"{MINE}/snapshots/v1/prices",
        "mall/other-mall/edge/till-1/events/v1/order.paid",
        "mall/demo-mall/bridge/v1",
        "anything",
    ],
)
def test_a_box_cannot_publish_outside_its_own_topics(
    house: House, boxes: Callable[[str, str], Client], topic: str
) -> None:
    hq = house.worker()
    hq.subscribe("mall/+/edge/+/events/v1/#")
    hq.subscribe("mall/+/edge/+/state/v1")
    box = boxes("till-1", "till-1")
    assert box.publish(topic, b"forged") == "Not authorized"
    assert box.publish(f"{MINE}/events/v1/order.paid", b"mine") == "Success"
    eventually(lambda: hq.heard, lambda: "the box's own event")
    assert [body for _, body, _ in hq.heard] == [b"mine"]


def test_a_box_hears_nothing_of_others_whatever_it_subscribes_to(
    house: House, boxes: Callable[[str, str], Client]
) -> None:
    hq, relay = house.worker(), house.worker("hq-relay")
    nosy, other = boxes("till-1", "till-1"), boxes("till-2", "till-2")
    for wide in ("#", "mall/#", f"{OTHER}/#", "mall/+/edge/+/events/v1/#", "$SYS/#"):
        nosy.subscribe(wide)
    other.subscribe(f"{OTHER}/acks/v1")
    hq.publish(f"{OTHER}/acks/v1", b"secret")
    relay.publish(f"{OTHER}/requests/v1", b"secret")
    other.publish(f"{OTHER}/events/v1/order.paid", b"secret")
    other.publish(f"{OTHER}/state/v1", b"secret", retain=True)
    hq.publish(f"{MINE}/acks/v1", b"for me")
    eventually(lambda: b"for me" in [body for _, body, _ in nosy.heard], lambda: "its own ack")
    assert {topic for topic in nosy.topics() if not topic.startswith(MINE)} == set()
    assert [body for _, body, _ in other.heard] == [b"secret"]


def test_a_box_cannot_end_anothers_connection_by_its_client_id(
    house: House, boxes: Callable[[str, str], Client]
) -> None:
    link = house.link(house.box())
    connected(link)
    since_ns = link.status().since_ns
    boxes("till-2", "mall-edge.demo-mall.till-1")
    boxes("till-3", "demo-mall/edge/till-1").publish("mall/demo-mall/edge/till-3/state/v1")
    send(link, 1)
    assert link.status().connected
    assert link.status().since_ns == since_ns


def test_two_boxes_with_one_name_are_told_of_each_other(house: House) -> None:
    issued = house.box()
    first = house.link(issued, last_delay_s=5.0)
    connected(first)
    second = house.link(issued, last_delay_s=5.0)
    says(first, "another connection has this box's name")
    connected(second)


def test_hqs_workers_cannot_do_each_others_work(house: House) -> None:
    ingest, relay = house.worker(), house.worker("hq-relay")
    assert ingest.publish(f"{MINE}/commands/v1") == "Not authorized"
    assert ingest.publish(f"{MINE}/events/v1/order.paid") == "Not authorized"
    assert relay.publish(f"{MINE}/acks/v1") == "Not authorized"
    assert "Not authorized" not in relay.publish(f"{MINE}/requests/v1")
