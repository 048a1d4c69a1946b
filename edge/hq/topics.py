"""Names of the MQTT topics between a box and HQ; docs/protocols/hq-events.md describes them.

`mall/{site}/edge/{edge}/events/v1/{kind}` and its siblings: a broker's access rules can pin a box to
its own subtree by user name.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.services.events import Origin


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one box. Origin has checked that its names hold no /, + or #."""

    origin: Origin

    def event(self, kind: str) -> str:
        """Where events of a kind are published."""
        return f"{self._root}/events/v1/{kind}"

    @property
    def acks(self) -> str:
        """Where HQ says what it has applied."""
        return f"{self._root}/acks/v1"

    @property
    def state(self) -> str:
        """Where presence is retained: birth, goodbye or will."""
        return f"{self._root}/state/v1"

    @property
    def requests(self) -> str:
        """Where HQ relays the HTTP requests of phones; docs/protocols/relay.md."""
        return f"{self._root}/requests/v1"

    @property
    def replies(self) -> str:
        """Where the answers go; HQ may append a level of its own."""
        return f"{self._root}/replies/v1"

    @property
    def manifests(self) -> str:
        """The filter for what HQ retains of every snapshot."""
        return self.manifest("+")

    @property
    def chunks(self) -> str:
        """The filter for the chunks of every snapshot."""
        return f"{self._root}/snapshots/v1/+/chunks/+/+"

    def manifest(self, name: str) -> str:
        """Where HQ retains the manifest of a snapshot."""
        return f"{self._root}/snapshots/v1/{name}"

    def fetch(self, name: str) -> str:
        """Where the box asks for chunks; apart from `snapshots`, which the box may only read."""
        return f"{self._root}/fetches/v1/{name}"

    @property
    def commands(self) -> str:
        """Where HQ says what the box shall do; docs/protocols/commands.md."""
        return f"{self._root}/commands/v1"

    @property
    def _root(self) -> str:
        return f"mall/{self.origin.site}/edge/{self.origin.edge}"
