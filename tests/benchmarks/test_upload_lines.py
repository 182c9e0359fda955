"""One large file over lines of several lengths: as quick as the best peer in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from . import table
from .test_upload import begin_upload, localtwin_for_uploads
from .upload_lab import PEERS, Sent, best, line_to, new_blobs, race, random_file, serving

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


@pytest.mark.parametrize("name", LINES)
def test_a_large_file_is_as_quick_as_the_best_peer(name: str, tmp_path: Path) -> None:
    """An office's line is paid for; a slower program would make people copy by hand again."""
    round_trip_s, bytes_per_s, size_bytes, least = LINES[name]
    digest = random_file(tmp_path / "cloud.dgn", size_bytes)

    with serving("null_sink") as sink, line_to(sink, round_trip_s, bytes_per_s) as port:
        sent = race(tmp_path / "cloud.dgn", digest, new_blobs(port))

    limit = f"{bytes_per_s / MIB:.0f} MiB/s" if bytes_per_s else "the machine"
    _compare(f"{size_bytes // MIB} MiB, {name}, null sink", sent, size_bytes, limit, least)


def test_a_large_file_into_localtwin_is_as_quick_as_the_best_peer(tmp_path: Path) -> None:
    """A rehearsal on one machine must show the program, not wait for it."""
    size_bytes, data = 2048 * MIB, tmp_path / "data"
    digest = random_file(tmp_path / "cloud.dgn", size_bytes)

    with localtwin_for_uploads(data) as (_, api_url):
        sent = race(tmp_path / "cloud.dgn", digest, lambda: begin_upload(api_url, data), tries=2)

    _compare("2048 MiB, no delay, localtwin", sent, size_bytes, "the machine", 0.9)


def _compare(
    what: str, sent: Sequence[Sent | None], size_bytes: int, limit: str, least: float
) -> None:
    ours, *peers = sent
    assert ours is not None
    peer = best(peers)
    ratio = peer.seconds / ours.seconds if peer else 0.0
    per_gb = ours.processor_s * 1e9 / size_bytes
    table.record(
        table.Row(
            what,
            _speed(ours, size_bytes),
            {client: _speed(each, size_bytes) for client, each in zip(PEERS, peers, strict=True)},
            limit,
            f"{ratio:.2f}" if peer else "no peer",
            f">= {least} of the best peer",
            None if peer is None else ratio >= least,
        )
    )
    table.record(
        table.Row(
            "the same: processor and memory, with the digest",
            f"{per_gb:.2f} processor s/GB, {ours.peak_mb:.0f} MB",
            {client: _cost(each, size_bytes) for client, each in zip(PEERS, peers, strict=True)},
            target=f"<= {PROCESSOR_S_PER_GB} processor s/GB, <= {MEMORY_MB} MB",
            is_met=per_gb <= PROCESSOR_S_PER_GB and ours.peak_mb <= MEMORY_MB,
        )
    )


def _cost(sent: Sent | None, size_bytes: int) -> str:
    if sent is None:
        return "absent"
    return f"{sent.processor_s * 1e9 / size_bytes:.2f} s/GB, {sent.peak_mb:.0f} MB"


def _speed(sent: Sent | None, size_bytes: int) -> str:
    return f"{size_bytes / MIB / sent.seconds:.0f} MiB/s" if sent else "absent"
