from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge.errors import Invalid
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from tests.browser.desk_fake import DeskFake

TRIES = 200


@contextmanager
def served(desk: DeskFake, settings: WebSettings) -> Iterator[WebServer]:
    server = WebServer(create_web(desk, settings), settings)
    server.start()
    try:
        yield server
    finally:
        desk.changes.close()
        server.close()


def open_stream(port: int) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/api/kiosk/K1/stream")
    return connection, connection.getresponse()


def test_a_client_that_is_gone_gives_its_stream_back() -> None:
    with served(DeskFake(), WebSettings(port=0, max_streams=1, keep_alive_s=0.02)) as server:
        connection, answer = open_stream(server.port)
        assert answer.status == 200
        answer.close()
        connection.close()
        for _ in range(TRIES):
            connection, answer = open_stream(server.port)
            status = answer.status
            answer.close()
            connection.close()
            if status == 200:
                return
            threading.Event().wait(0.02)
        pytest.fail("the only stream was never given back")


def test_open_streams_leave_threads_for_other_requests() -> None:
    with served(DeskFake(), WebSettings(port=0, threads=4, max_streams=3)) as server:
        streams = [open_stream(server.port) for _ in range(5)]
        assert sorted(answer.status for _, answer in streams) == [200, 200, 200, 503, 503]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/health/live")
        with connection.getresponse() as alive:
            assert alive.status == 200
        connection.close()
        for stream, answer in streams:
            answer.close()
            stream.close()


def test_closing_ends_open_streams_and_frees_the_port() -> None:
    desk = DeskFake()
    with served(desk, WebSettings(port=0, keep_alive_s=60)) as server:
        connection, answer = open_stream(server.port)
        assert answer.readline() == b"retry: 1000\n"
        port = server.port
    assert server.stopped
    connection.close()
    answer.close()
    with served(DeskFake(), WebSettings(port=port)) as again:
        assert again.port == port


def test_closing_many_open_streams_leaves_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with served(DeskFake(), WebSettings(port=0, threads=32, max_streams=24, keep_alive_s=60)) as server:
        streams = [open_stream(server.port) for _ in range(24)]
        assert {answer.status for _, answer in streams} == {200}
    for stream, answer in streams:
        assert answer.read().startswith(b"retry: 1000")
        answer.close()
        stream.close()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_taken_port_is_told_at_once() -> None:
    with served(DeskFake(), WebSettings(port=0)) as server:
        settings = WebSettings(port=server.port)
        with pytest.raises(OSError, match="in use"):
            WebServer(create_web(DeskFake(), settings), settings)


@pytest.mark.skipif(
    len(socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)) < 2,
    reason="localhost is one address here",
)
def test_a_host_of_several_addresses_is_refused() -> None:
    settings = WebSettings(host="localhost", port=0)
    with pytest.raises(Invalid, match="several addresses"):
        WebServer(create_web(DeskFake(), settings), settings)
