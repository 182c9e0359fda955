"""A real PostgreSQL server of one test run: on a socket of its own, in a folder of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from twinsyncd.journal.location import Server

DEBIAN: Final = Path("/usr/lib/postgresql")
SERVER_ACCOUNT: Final = "nobody"  # root must not run a server
START_S: Final = 60.0
QUICK: Final = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "autovacuum=off")


class CannotRun(Exception):
    """The machine lets no server run, which says nothing about what is tested."""


class PostgresHost:
    """A running server; each test takes a schema of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, as the configuration has it."""
        return f"postgresql://twinsyncd@/postgres?host={self.folder}"

    @property
    def socket(self) -> Path:
        """The socket that it listens on, for a proxy."""
        return self.folder / ".s.PGSQL.5432"

    @property
    def pid(self) -> int:
        """The process that all others are children of."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def new_server(self) -> Server:
        """Return a schema that nobody else uses; it does not exist yet."""
        return Server(self.url, f"test_{next(self._numbers)}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"-c{each}" for each in (*QUICK, "listen_addresses=", "max_connections=60")]
        command = [self._program("postgres"), f"-D{self.folder / 'data'}", f"-k{self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, **_as_account()
            )
        end_s = time.monotonic() + START_S
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end_s, "PostgreSQL does not start"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; SIGINT ends the sessions, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def make(self) -> None:
        """Make its folder of data."""
        command = [self._program("initdb"), f"-D{self.folder / 'data'}", "-Utwinsyncd"]
        options = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*command, *options], check=True, capture_output=True, **_as_account())

    def answers(self) -> bool:
        """Return whether somebody can sign in."""
        import psycopg  # noqa: PLC0415 - an extra: without it these tests are skipped

        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _program(self, name: str) -> str:
        return str(self._programs / name)


@contextmanager
def running_postgres(programs: Path) -> Iterator[PostgresHost]:
    """Yield a server that was started anew. Raises CannotRun."""
    folder = Path(tempfile.mkdtemp(prefix="twinsyncd-pg-"))  # the path of a socket must be short
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_ACCOUNT)
    host = PostgresHost(programs, folder)
    try:
        try:
            host.make()
        except subprocess.CalledProcessError as exc:
            raise CannotRun(exc.stderr.decode(errors="replace")) from exc
        host.start()
        yield host
    finally:
        host.stop()
        shutil.rmtree(folder, ignore_errors=True)


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None where it is not installed."""
    if os.name == "nt":
        return None
    found = [Path(each).resolve().parent for each in [shutil.which("initdb")] if each]
    found += sorted(DEBIAN.glob("*/bin"), key=lambda each: int(each.parent.name))
    return next((each for each in reversed(found) if (each / "initdb").exists()), None)


def _as_account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": SERVER_ACCOUNT, "group": "nogroup", "extra_groups": [], "cwd": "/"}


class Relay:
    """A network before the server that can lose all that it carries, and closes nothing then."""

    def __init__(self, host: PostgresHost) -> None:
        self._host = host
        self._carries = threading.Event()
        self._carries.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self._begin(self._accept)

    @property
    def url(self) -> str:
        """The server's address through it."""
        port = self._listener.getsockname()[1]
        return f"postgresql://twinsyncd@127.0.0.1:{port}/postgres?sslmode=disable"

    def lose(self) -> None:
        """Lose everything from now on."""
        self._carries.clear()

    def carry(self) -> None:
        """Carry again what comes from now on."""
        self._carries.set()

    def close(self) -> None:
        """End all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._host.socket))
                except OSError:  # the server is down
                    caller.close()
                    server.close()
                    continue
                self._sockets += [caller, server]
                self._begin(partial(self._pass_on, caller, server))
                self._begin(partial(self._pass_on, server, caller))

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if self._carries.is_set():
                    target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    def _begin(self, act: Callable[[], None]) -> None:
        threading.Thread(target=act, daemon=True).start()
