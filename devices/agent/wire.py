"""One MQTT connection of an agent or of a box to its agents: QoS 0, each side answers for itself.

Nothing is queued: what cannot be sent now is refused, so that no order reaches a gate late. What must not be
lost is acknowledged and sent again by those who use this.
Source: MQTT 5.0 (OASIS); paho-mqtt 2.2.0.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.types import DeviceError

_log = logging.getLogger(__name__)

Hear = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The store's broker. password_file, ca_file: None for none; a ca_file turns TLS on."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    keepalive_s: int = 5

    def password(self) -> str | None:
        """Return the password; raise DeviceError when its file cannot be read."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DeviceError(f"the broker's password file {self.password_file}: {error}") from error


@dataclass(frozen=True, slots=True)
class Retained:
    """What is known of us: said at each connection, and by the broker when we are gone."""

    topic: str
    online: bytes
    offline: bytes


class Wire:
    """Connects for ever in a thread of its own. hears: by topic, called in that thread; must not block."""

    def __init__(
        self, settings: BrokerSettings, client_id: str, presence: Retained, hears: Mapping[str, Hear]
    ) -> None:
        """Nothing is connected, and no file is read, before `start`."""
        self._settings = settings
        self._presence = presence
        self._hears = dict(hears)
        self._up = threading.Event()
        self.detail = "not connected yet"
        self._client = self._make(client_id)

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us in and our subscriptions."""
        return self._up.is_set()

    def await_connected(self, timeout_s: float) -> bool:
        """Wait until connected; return whether it is so."""
        return self._up.wait(timeout_s)

    def start(self) -> None:
        """Connect, and again for ever; raise DeviceError for files that cannot be read."""
        self._take_secrets()
        expiry = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        expiry.SessionExpiryInterval = 0
        settings = self._settings
        self._client.connect_async(
            settings.host, settings.port, settings.keepalive_s, clean_start=True, properties=expiry
        )
        self._client.loop_start()

    def say(self, topic: str, payload: bytes) -> bool:
        """Send now or not at all; return whether it went out."""
        if not self._up.is_set():
            return False
        return self._client.publish(topic, payload, qos=0).rc == mqtt.MQTT_ERR_SUCCESS

    def close(self) -> None:
        """Say goodbye and end."""
        if self._up.is_set():
            self._client.publish(self._presence.topic, self._presence.offline, qos=1, retain=True)
        self._client.disconnect()
        self._client.loop_stop()
        self._up.clear()

    def _make(self, client_id: str) -> mqtt.Client:
        presence = self._presence
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        client.will_set(presence.topic, presence.offline, qos=1, retain=True)
        client.reconnect_delay_set(1, 5)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _take_secrets(self) -> None:
        settings, client = self._settings, self._client
        if settings.username:
            client.username_pw_set(settings.username, settings.password())
        if settings.ca_file is not None:
            try:
                client.tls_set(str(settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
            except OSError as error:
                raise DeviceError(f"the broker's ca_file {settings.ca_file}: {error}") from error

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self.detail = f"the broker refused: {reason}"
            return
        client.publish(self._presence.topic, self._presence.online, qos=1, retain=True)
        client.subscribe([(topic, 1) for topic in self._hears])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: Any, reasons: Any, _p: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self.detail = f"the broker refused a subscription: {refused[0]}; check its ACL"
            return
        self.detail = "connected"
        self._up.set()

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self._up.clear()
        self.detail = f"the broker is not connected: {reason}"

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        hear = self._hears.get(message.topic)
        if hear is None:
            return
        try:
            hear(bytes(message.payload))
        except ValueError as error:
            _log.warning("ignored on %s: %s", message.topic, error)
