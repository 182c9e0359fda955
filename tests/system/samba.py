"""A real SMB server for tests: smbd on a loopback port, with a share, and a client of it."""

from __future__ import annotations

import getpass
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from twinsyncd.disk.smb_address import SmbAddress
from twinsyncd.disk.smb_credentials import Credentials

SMBD: Final = shutil.which("smbd", path="/usr/sbin:/usr/bin:/sbin:/bin")
SMBPASSWD: Final = shutil.which("smbpasswd")
MISSING: Final = "" if SMBD and SMBPASSWD else "there is no smbd; install it: apt-get install samba"
PASSWORD: Final = "save early"
START_S: Final = 20.0
HOST: Final = "127.0.0.1"

_CONFIG: Final = """
[global]
smb ports = {port}
bind interfaces only = yes
interfaces = 127.0.0.1
workgroup = OFFICE
server role = standalone server
server min protocol = SMB2
disable netbios = yes
load printers = no
printcap name = /dev/null
lock directory = {home}
state directory = {home}
cache directory = {home}
private dir = {home}
pid directory = {home}
ncalrpc dir = {home}/rpc
binddns dir = {home}
passdb backend = tdbsam:{home}/accounts.tdb
log file = {home}/smbd.log
[projects]
path = {drive}
read only = no
"""


class Samba:
    """An SMB server of one share, "projects", whose files lie in `drive`."""

    def __init__(self, home: Path) -> None:
        self.drive = home / "drive"
        self._home = home / "samba"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.drive.mkdir(parents=True)
        (self._home / "rpc").mkdir(parents=True)
        self.credentials = Credentials(getpass.getuser(), PASSWORD)

    def start(self) -> None:
        """Start it; on the port it had before, if it has run before."""
        for _ in range(5):  # the port may be taken in between
            port = self.port or free_port()
            config = self._home / "smb.conf"
            config.write_text(_CONFIG.format(port=port, home=self._home, drive=self.drive))
            if not self.port:
                self._add_account(config)
            assert SMBD is not None
            self._process = subprocess.Popen(
                [SMBD, "--foreground", f"--configfile={config}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if self._answers(port):
                self.port = port
                return
            self.stop()
        log = (self._home / "smbd.log").read_text("utf-8", "replace")[-2000:]
        if not self.port:  # it has never run
            pytest.skip(f"smbd does not start here: {log}")
        raise AssertionError(log)

    def stop(self) -> None:
        """End it with all processes of its own, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._signal(signal.SIGKILL)
            self._process.kill()  # in case that it has no group of its own yet
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, like a server whose cable was pulled."""
        self._signal(signal.SIGSTOP)

    def address(self, folder: str = "") -> SmbAddress:
        """Return the address of a folder of the share."""
        return SmbAddress(HOST, "projects", folder, self.port)

    def _signal(self, number: int) -> None:
        import os  # noqa: PLC0415 - groups exist on POSIX only, where smbd runs

        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _add_account(self, config: Path) -> None:
        assert SMBPASSWD is not None
        account = [SMBPASSWD, "-c", str(config), "-L", "-s", "-a", getpass.getuser()]
        typed = f"{PASSWORD}\n{PASSWORD}\n".encode()
        subprocess.run(account, input=typed, check=True, capture_output=True)

    def _answers(self, port: int) -> bool:
        assert self._process is not None
        deadline_s = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline_s:
            try:
                with socket.create_connection((HOST, port), timeout=1.0):
                    return True
            except OSError:
                time.sleep(0.02)  # another process comes up, which sends no sign
        return False


@contextmanager
def serving(home: Path) -> Iterator[Samba]:
    """Yield a server that runs."""
    samba = Samba(home)
    samba.start()
    try:
        yield samba
    finally:
        samba.stop()


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
