"""What upload benchmarks share: sinks, lines and clients as processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from system.programs import environment

BLOCK: Final = 8 << 20
PEERS: Final = ("azure-1", "azure-4", "azure-8")
HERE: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Sent:
    """What sending one file cost one client; the fastest of several tries."""

    seconds: float
    processor_s: float
    peak_mb: float


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """Yield the port of a helper program, which is ended with the context."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE, env=environment()) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def line_to(port: int, round_trip_s: float, bytes_per_s: float) -> Iterator[int]:
    """Yield the port of a line to a server; without a round trip it is the server's own."""
    if not round_trip_s:
        yield port
        return
    arguments = (f"127.0.0.1:{port}", str(round_trip_s), str(bytes_per_s))
    with serving("delaying_line", *arguments) as line:
        yield line


def send(client: str, file: Path, url: str, digest: str, tries: int = 2) -> Sent | None:
    """Return the fastest of several tries; None if the client is not installed."""
    if client.startswith("azure") and find_spec("azure.storage.blob") is None:
        return None
    return min(
        (_send_once(client, file, f"{url}-{number}", digest) for number in range(tries)),
        key=lambda sent: sent.seconds,
    )


def _send_once(client: str, file: Path, blob: str, digest: str) -> Sent:
    url = f"{blob}?sv=2019-07-07&sr=b&sp=rw&sig=none"
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
