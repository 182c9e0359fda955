"""Large files that meet a kill, a run under way, or a limit of the line that changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from system.drawings import drawing
from system.site import open_site
from system.test_resumed_upload import blocks_staged
from system.waiting import wait_until
from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.send_rate import SendRate
from twinsyncd.cloud.upload_budget import BLOCKS_MAX
from twinsyncd.cloud.upload_limits import BLOCK_BYTES
from twinsyncd.config.bandwidth import bandwidth
from twinsyncd.core.model import Digest
from twinsyncd.disk.look import StableContent, look
from twinsyncd.disk.tree import Tree

from .figures import say
from .lined_site import site_behind_a_line
from .upload_lab import figures_of, new_blobs, random_file, serving

pytestmark = pytest.mark.bench

MIB: Final = 1 << 20
KILLED_BYTES: Final = 2048 * MIB
STAGED_BYTES: Final = 1024 * MIB
GIGABIT: Final = 125e6  # bytes/s
OTHER_REQUESTS: Final = BLOCK_BYTES  # sign-in, looks, and heads of requests
PATIENCE_S: Final = 900.0
POLL_S: Final = 1.0
RUN_S: Final = 60  # long enough to stage the next content
NEXT_RUN_S: Final = 1.0
QUICK: Final = f"""
settle = "0.3s"
settle_by_format = {{ ifc = "0.3s" }}
batch_quiet = "0.3s"
poll = "{POLL_S:.0f}s"
"""
LIMITS_MB_S: Final = (4, 16)  # before and after a minute begins
MEASURED_S: Final = 5.0
EXACT: Final = 0.15  # of a rate; the piece under way at either end is in the figure


def test_a_kill_at_half_of_a_large_file(tmp_path: Path) -> None:
    """What is sent again is paid for twice; nights are short (P8)."""
    blocks = KILLED_BYTES // BLOCK_BYTES
    with site_behind_a_line(tmp_path, QUICK, 0.01, GIGABIT) as (site, line):
        random_file(site.drive / "cloud.dxf", KILLED_BYTES)
        with site.daemon() as daemon:
            wait_until(lambda: blocks_staged(site) >= blocks // 2, "half is there", PATIENCE_S)
            daemon.kill()
            daemon.restart()
            wait_until(lambda: bool(daemon.events("file.stored")), "all is there", PATIENCE_S)

    again_bytes = line.carried_bytes - KILLED_BYTES
    say(
        f"{KILLED_BYTES // MIB} MiB, killed at the half",
        f"{again_bytes / MIB:.1f} MiB more than the file, {again_bytes / BLOCK_BYTES:.1f} blocks",
        f"<= {BLOCKS_MAX} blocks in flight, and the other requests",
        f"{again_bytes / KILLED_BYTES:.1%} of the file",
        is_met=0 <= again_bytes <= BLOCKS_MAX * BLOCK_BYTES + OTHER_REQUESTS,
    )


def test_the_next_run_starts_at_once_with_a_large_file_staged(tmp_path: Path) -> None:
    """Whoever saved during a run waits for that run, not for an upload after it."""
    random_file(tmp_path / "draft", STAGED_BYTES)
    with open_site(tmp_path / "site", QUICK, "--fault", f"slow-run={RUN_S}") as site:
        site.call("check", "--probe")
        site.save("plan.dxf", drawing(1))
        site.save("cloud.dxf", drawing(2))
        with site.daemon() as daemon:
            daemon.wait_for("run.started")
            (tmp_path / "draft").replace(site.drive / "cloud.dxf")
            wait_until(lambda: bool(daemon.events("file.staged")), "it is staged", PATIENCE_S)
            staged_first = not daemon.events("run.ended")
            wait_until(lambda: len(daemon.events("run.started")) > 1, "the next run", PATIENCE_S)
            ended = daemon.events("run.ended")[0]
            begun = daemon.events("run.started")[1]

    took_s = _moment(begun) - _moment(ended)
    say(
        f"run ended -> next run started, {STAGED_BYTES // MIB} MiB staged meanwhile",
        f"{took_s * 1000:.0f} ms after the run's end was seen",
        f"<= {NEXT_RUN_S:.0f} s, after one poll ({POLL_S:.0f} s)",
        "staged while the run was active" if staged_first else "the run ended before it was staged",
        is_met=staged_first and took_s <= NEXT_RUN_S,
    )


def test_a_limit_of_bandwidth_changes_with_the_minute(tmp_path: Path) -> None:
    """At six in the evening the line is free, and at eight in the morning it is the office's."""
    digest = random_file(tmp_path / "cloud.dgn", 1024 * MIB)
    soon = _now() + timedelta(minutes=1, seconds=2 * MEASURED_S)
    change = soon.replace(second=0, microsecond=0)
    first, second = (f"{each} MB/s" for each in LIMITS_MB_S)
    hour = f"{change - timedelta(hours=1):%H:%M}-{change:%H:%M}"
    limits = bandwidth({hour: first, "always": second})

    with serving("null_sink") as sink:
        url = new_blobs(sink)()
        rate = SendRate(lambda: limits.at(_now()))
        Thread(target=_send, args=(tmp_path, digest, url, rate), daemon=True).start()
        before = _rate_mb_s(sink, change.timestamp() - MEASURED_S - 1.0)
        after = _rate_mb_s(sink, change.timestamp() + 1.0)

    say(
        f"bandwidth {first}, then {second} from the next minute on",
        f"{before:.1f} MB/s, then {after:.1f} MB/s",
        f"within {EXACT:.0%} of the limit",
        f"{before / LIMITS_MB_S[0]:.2f}, {after / LIMITS_MB_S[1]:.2f} of it",
        is_met=all(
            abs(found / limit - 1.0) <= EXACT
            for found, limit in zip((before, after), LIMITS_MB_S, strict=True)
        ),
    )


def _send(folder: Path, digest: str, url: str, rate: SendRate) -> None:
    """Send the file until the sink ends."""
    tree = Tree(folder)
    fingerprint = look(tree, "cloud.dgn")
    assert fingerprint is not None
    with (
        httpx.Client(trust_env=False) as http,
        StableContent(tree, "cloud.dgn", fingerprint, Digest(digest)) as content,
    ):
        try:
            Blobs(http, rate=rate).upload(content, url, lambda: url, first=True)
        except Exception as error:  # noqa: BLE001 - the sink ends first
            print(f"the sink ended: {type(error).__name__}")


def _rate_mb_s(sink: int, begins_s: float) -> float:
    """Return how much the sink receives in MEASURED_S from a moment on [MB/s of 10^6 bytes]."""
    time.sleep(max(begins_s - time.time(), 0.0))
    received, since_s = figures_of(sink)["bytes"], time.perf_counter()
    time.sleep(MEASURED_S)
    more = figures_of(sink)["bytes"] - received
    return more / 1e6 / (time.perf_counter() - since_s)


def _now() -> datetime:
    """Return the time of the clock on the wall, by which people write timetables."""
    return datetime.now().astimezone().replace(tzinfo=None)


def _moment(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()
