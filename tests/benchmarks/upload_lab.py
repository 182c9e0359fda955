"""What upload benchmarks share: sinks, lines and clients as processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from system.programs import environment

BLOCK: Final = 8 << 20
PEERS: Final = ("azure-1", "azure-4", "azure-8")
CLIENTS: Final = ("twinsyncd", *PEERS)
TRIES: Final = 3
HERE: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Sent:
    """What sending one file cost one client; the fastest of several tries."""

    seconds: float
    processor_s: float
    peak_mb: float


@dataclass
class Helper:
    """A helper program: its port, and the number that it printed at its end."""

    port: int
    carried_bytes: int = 0


@contextmanager
def helping(module: str, *arguments: str) -> Iterator[Helper]:
    """Yield a helper program, which is ended with the context."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE, env=environment()) as process:
        assert process.stdout is not None
        try:
            helper = Helper(int(process.stdout.readline()))
            yield helper
        finally:
            process.terminate()
        helper.carried_bytes = int(process.stdout.read() or 0)


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """Yield the port of a helper program."""
    with helping(module, *arguments) as helper:
        yield helper.port


@contextmanager
def line_to(port: int, round_trip_s: float, bytes_per_s: float) -> Iterator[int]:
    """Yield the port of a line to a server; without a round trip it is the server's own."""
    if not round_trip_s:
        yield port
        return
    with serving("delaying_line", *line_arguments(port, round_trip_s, bytes_per_s)) as line:
        yield line


def line_arguments(port: int, round_trip_s: float, bytes_per_s: float) -> tuple[str, ...]:
    """Return the arguments of a line to a server of this machine."""
    return f"127.0.0.1:{port}", str(round_trip_s), str(bytes_per_s)


def race(file: Path, digest: str, url: Callable[[], str], tries: int = TRIES) -> list[Sent | None]:
    """Return what sending cost us and each peer, the fastest of some tries, taken in turns.

    `url` returns the URL of a new blob each time. None: the peer is not installed.
    """
    clients = [
        client
        for client in CLIENTS
        if not client.startswith("azure") or find_spec("azure.storage.blob")
    ]
    sent: dict[str, list[Sent]] = {client: [] for client in clients}
    for _ in range(tries):
        for client in clients:
            sent[client].append(_send_once(client, file, url(), digest))
    return [best(sent.get(client, [])) for client in CLIENTS]


def new_blobs(port: int) -> Callable[[], str]:
    """Return what makes URLs of blobs that a sink does not know yet."""
    numbers = count()
    blob = f"http://127.0.0.1:{port}/account/container/blob"
    query = "sv=2019-07-07&sr=b&sp=rw&sig=none"
    return lambda: f"{blob}-{next(numbers)}?{query}"


def _send_once(client: str, file: Path, url: str, digest: str) -> Sent:
    command = [sys.executable, "-m", "benchmarks.send_file", client, str(file), url, digest]
    done = subprocess.run(
        command, cwd=HERE, env=environment(), capture_output=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr.decode()
    return Sent(**json.loads(done.stdout.splitlines()[-1]))


def random_file(file: Path, size_bytes: int) -> str:
    """Write random bytes and return their SHA-256."""
    digest = hashlib.sha256()
    with file.open("wb", buffering=0) as out:
        for _ in range(size_bytes // BLOCK):
            piece = os.urandom(BLOCK)
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


def figures_of(port: int) -> dict[str, int]:
    """Return what a sink has received."""
    with urlopen(f"http://127.0.0.1:{port}/figures", timeout=10) as answer:
        figures: dict[str, int] = json.load(answer)
    return figures


def best(results: Sequence[Sent | None]) -> Sent | None:
    """Return the fastest of those that are there."""
    return min((each for each in results if each), key=lambda sent: sent.seconds, default=None)
