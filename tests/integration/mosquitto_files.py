"""Runs Mosquitto from the files that ship (systemd/mosquitto), with only paths, ports and user put in."""

from __future__ import annotations

import os
import pwd
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sim.broker import Broker, BrokerKind
from sim.certificates import Authority, Issued
from sim.ports import free_ports

SHIPPED = Path(__file__).parents[2] / "systemd" / "mosquitto"
DEADLINE_S = 20.0


@dataclass(frozen=True)
class Ports:
    """mall: of the mall's broker. hq: HQ's for boxes and bridges. workers: HQ's for its own."""

    mall: int
    hq: int
    workers: int


def choose_ports() -> Ports:
    return Ports(*free_ports(3))


def mall_broker(folder: Path, authority: Authority, ports: Ports) -> Broker:
    return Broker(BrokerKind.MOSQUITTO, ports.mall, _fill("mall", folder, authority, ports))


def hq_broker(folder: Path, authority: Authority, ports: Ports) -> Broker:
    return Broker(BrokerKind.MOSQUITTO, ports.hq, _fill("hq", folder, authority, ports))


def _fill(name: str, folder: Path, authority: Authority, ports: Ports) -> Path:
    text = (SHIPPED / f"{name}.conf").read_text(encoding="utf-8")
    state = folder / f"{name}-state"
    state.mkdir(parents=True, exist_ok=True)
    listener = ports.mall if name == "mall" else ports.hq
    changes = {
        r"/etc/mosquitto/mall-edge/(\w+\.acl)": rf"{SHIPPED}/\1",
        r"/etc/mosquitto/mall-edge/": f"{authority.folder}/",
        r"/var/lib/mosquitto/": f"{state}/",
        r"listener 8883": f"listener {listener} 127.0.0.1",
        r"listener 8884 127.0.0.1": f"listener {ports.workers} 127.0.0.1",
        r"hq\.example:8883": f"127.0.0.1:{ports.hq}",
        r"restart_timeout 5 60": "restart_timeout 1",
    }
    for old, new in changes.items():
        text = re.sub(old, new, text)
    filled = folder / f"{name}.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    filled.write_text(f"user {user}\n{text}", encoding="utf-8")
    return filled


class Client:
    """A plain MQTT 5 client with a certificate; keeps what it hears."""

    def __init__(self, port: int, authority: Authority, issued: Issued, client_id: str) -> None:
        self.heard: list[tuple[str, bytes, dict[str, Any]]] = []
        self.refusals: list[str] = []
        self._lock = threading.Lock()
        self._answers: dict[int, Any] = {}
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        context.load_cert_chain(issued.certificate, issued.key)
        self._client.tls_set_context(context)
        self._client.on_publish = lambda c, u, mid, reason, p: self._answers.setdefault(mid, reason)
        self._client.on_subscribe = lambda c, u, mid, reasons, p: self._answers.setdefault(mid, reasons[0])
        self._client.on_connect = lambda c, u, f, reason, p: self._answers.setdefault(-1, reason)
        self._client.on_disconnect = lambda c, u, f, reason, p: self.refusals.append(str(reason))
        self._client.on_message = self._hear
        eventually(lambda: _listens(port), lambda: f"a listener on {port}")
        self._client.connect("127.0.0.1", port, keepalive=20)
        self._client.loop_start()
        reason = self._answer(-1)
        assert not reason.is_failure, reason

    def publish(
        self, topic: str, payload: bytes = b"x", retain: bool = False, properties: Properties | None = None
    ) -> str:
        """Return the broker's answer in words."""
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        return str(self._answer(info.mid))

    def subscribe(self, topic: str) -> str:
        mid = self._client.subscribe(topic, qos=1)[1]
        assert mid is not None
        return str(self._answer(mid))

    def topics(self) -> list[str]:
        return [topic for topic, _, _ in self.heard]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _answer(self, mid: int) -> Any:
        return eventually(
            lambda: self._answers.pop(mid, None), lambda: f"an answer to {mid}; {self.refusals}"
        )

    def _hear(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload), vars(message.properties)))


def eventually(condition: Callable[[], Any], what: Callable[[], str], deadline_s: float = DEADLINE_S) -> Any:
    pause = threading.Event()
    for _ in range(int(deadline_s / 0.02)):
        found = condition()
        if found:
            return found
        pause.wait(0.02)
    raise AssertionError(f"not in {deadline_s:.0f} s: {what()}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def publish_properties(**given: Any) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)
    for name, value in given.items():
        setattr(properties, name, value)
    return properties
