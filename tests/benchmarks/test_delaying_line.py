"""The line that uploads are measured over: what it delays, and that it changes nothing."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from .delaying_line import Direction
from .upload_lab import line_to


def test_all_connections_share_the_rate_of_a_direction() -> None:
    """Four connections are no faster than the line itself."""
    direction = Direction(1000.0)

    leaves = [direction.leaves_s(500, earliest_s=10.0) for _ in range(4)]

    assert leaves == [10.5, 11.0, 11.5, 12.0]


def test_a_line_that_was_idle_begins_at_once() -> None:
    """What was not used in the past is not saved up."""
    direction = Direction(1000.0)
    direction.leaves_s(500, earliest_s=0.0)

    assert direction.leaves_s(500, earliest_s=9.0) == pytest.approx(9.5)


def test_what_goes_in_comes_out_the_other_end() -> None:
    """A line that loses or mixes bytes would measure retries."""
    sent = bytes(range(256)) * 4096
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_echo, args=(server,), daemon=True)
        thread.start()
        with (
            line_to(server.getsockname()[1], 0.001, 1e9) as port,
            socket.create_connection(("127.0.0.1", port), timeout=10) as client,
        ):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received == sent


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        whole = b"".join(iter(lambda: connection.recv(65536), b""))
        connection.sendall(whole)
