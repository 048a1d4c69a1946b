"""The gateway's own certificates, and the self-test of signatures."""

from __future__ import annotations

from collections.abc import Sequence

from sim.gateway.endpoints import Call, Endpoint, Room
from sim.gateway.messages import Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape

_ECHO = Shape(
    True,
    dict,
    fields={"echo_message": Shape(True), "encrypted_echo_message": Shape(), "notify_url": Shape()},
)


def _endpoints(office: Office) -> Sequence[Endpoint]:
    def echo(call: Call) -> Reply:
        return json_reply(200, {"echo_message": call.body["echo_message"]})

    return (Endpoint("echo", "POST", "/v3/security/echo", echo, _ECHO),)


ROOM = Room("certificates", endpoints=_endpoints)
