"""Reports to systemd that the daemon is ready and alive; does nothing without systemd.

The protocol is one datagram of KEY=VALUE lines, so no library is needed.
Source: sd_notify(3), read 2026-11-22.
"""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send the lines to the service manager, if one listens; never raises for its sake."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace of Linux
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return  # a manager that went away must not stop the work


def notify_reloading() -> None:
    """Report that the configuration is being exchanged; READY=1 ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
