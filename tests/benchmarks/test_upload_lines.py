"""One large file over lines of several lengths: as quick as the best peer in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from . import table
from .upload_lab import PEERS, Sent, best, line_to, random_file, send, serving

pytestmark = pytest.mark.bench

MIB: Final = 1 << 20
GIGABIT: Final = 125e6  # bytes/s
LINES: Final = {
    "30 ms, 1 Gbit/s": (0.03, GIGABIT, 256 * MIB, 0.98),
    "100 ms, 200 Mbit/s": (0.1, GIGABIT / 5, 256 * MIB, 0.98),
    "no delay": (0.0, 0.0, 2048 * MIB, 0.9),
}
MEMORY_MB: Final = 100
PROCESSOR_S_PER_GB: Final = 1.2


@pytest.fixture(scope="module")
def sink() -> Iterator[int]:
    """The port of a host that drops what it gets."""
    with serving("null_sink") as port:
        yield port


@pytest.mark.parametrize("name", LINES)
def test_a_large_file_is_as_quick_as_the_best_peer(name: str, sink: int, tmp_path: Path) -> None:
    """An office's line is paid for; a slower program would make people copy by hand again."""
    round_trip_s, bytes_per_s, size_bytes, least = LINES[name]
    digest = random_file(tmp_path / "cloud.dgn", size_bytes)

    with line_to(sink, round_trip_s, bytes_per_s) as port:
        url = f"http://127.0.0.1:{port}/account/container"
        ours, *peers = (
            send(client, tmp_path / "cloud.dgn", f"{url}/{name[:3].strip()}-{client}", digest)
            for client in ("twinsyncd", *PEERS)
        )

    assert ours is not None
    peer = best(peers)
    ratio = peer.seconds / ours.seconds if peer else 0.0
    per_gb = ours.processor_s * 1e9 / size_bytes
    table.record(
        table.Row(
            f"{size_bytes // MIB} MiB, {name}, null sink",
            f"{_speed(ours, size_bytes)}\n{per_gb:.2f} processor s/GB, {ours.peak_mb:.0f} MB",
            {client: _speed(each, size_bytes) for client, each in zip(PEERS, peers, strict=True)},
            f"{bytes_per_s / MIB:.0f} MiB/s" if bytes_per_s else "the machine",
            f"{ratio:.2f}" if peer else "no peer",
            f">= {least} of the best peer",
        )
    )
    assert ours.peak_mb <= MEMORY_MB
    assert per_gb <= PROCESSOR_S_PER_GB
    assert peer is None or ratio >= least


def _speed(sent: Sent | None, size_bytes: int) -> str:
    return f"{size_bytes / MIB / sent.seconds:.0f} MiB/s" if sent else "absent"
