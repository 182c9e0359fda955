"""One program of this machine serves a connection, whatever journal it keeps.

Two journals that serve one connection would both upload everything and start runs. On Linux a
name in the abstract socket namespace is the lock: it needs no folder that all accounts can write,
and the system frees it when the process ends. Elsewhere only the lock on the journal holds.
Source: unix(7), "Abstract sockets", read 2026-11.
"""

from __future__ import annotations

import errno
import hashlib
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from ..config import Config, Connection
from ..errors import JournalError


@contextmanager
def serving_alone(config: Config) -> Iterator[None]:
    """Claim every connection of the configuration. Raises JournalError if one is taken."""
    with ExitStack() as stack:
        if sys.platform == "linux":
            for connection in config.connection:
                stack.enter_context(_claim(_address(config, connection), connection.name))
        yield


def refuse_rivals(config: Config) -> None:
    """Raise JournalError if a program of this machine serves a connection with another journal.

    Claims nothing: of the daemons that share a journal one serves a connection, by its lease.
    """
    if served := served_elsewhere(config):
        raise _rival(served)


def served_elsewhere(config: Config) -> str:
    """Return a connection that some program of this machine serves; "" if none is served.

    Claims nothing, so a daemon that starts meanwhile is not hindered.
    """
    if sys.platform != "linux":
        return ""
    for connection in config.connection:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller, suppress(OSError):
            caller.connect(_address(config, connection))
            return connection.name
    return ""


def _address(config: Config, connection: Connection) -> str:
    service = connection.bulk.url or config.platform.api_url
    parts = (service, connection.imodel_id.lower(), connection.name)
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"\0twinsyncd-{name}"


if sys.platform == "linux":  # addresses that are no files are there only

    def _claim(address: str, connection: str) -> socket.socket:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(address)
        except OSError as exc:
            held.close()
            if exc.errno != errno.EADDRINUSE:
                raise
            raise _rival(connection) from exc
        return held


def _rival(connection: str) -> JournalError:
    return JournalError(
        f'another twinsyncd on this machine serves the connection "{connection}", with another '
        "state folder",
        hint="use the same configuration and account as the service, or name its state_folder",
    )
