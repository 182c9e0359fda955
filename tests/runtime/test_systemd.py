"""What the service manager is told, over a real socket."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinsyncd.runtime.systemd import notify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager that listens."""
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("notify")
        channel.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        yield channel


def test_all_lines_are_one_datagram(manager: socket.socket) -> None:
    """systemd reads each datagram as one change of state."""
    notify("READY=1", "STATUS=2 files settle")

    assert manager.recv(1_000) == b"READY=1\nSTATUS=2 files settle"


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers hand down sockets without a file; "@" stands for their leading zero byte."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0twinsyncd-test-" + str(id(monkeypatch)))
        channel.settimeout(5.0)
        name = channel.getsockname()
        assert isinstance(name, bytes)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name[1:].decode())

        notify("READY=1")

        assert channel.recv(1_000) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "x" * 300])
def test_a_manager_that_does_not_listen_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """The daemon also runs by hand, and outlives a manager that restarts."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notify("READY=1")


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's shell has no such variable."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    notify("READY=1")
