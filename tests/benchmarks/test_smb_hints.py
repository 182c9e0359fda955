"""From a save by another client of a file server to its hint, without and with saves in place."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from system.samba import MISSING, Samba, serving
from twinsyncd.config.patterns import matcher
from twinsyncd.config.setup import SCAN_REMOTE
from twinsyncd.core.facts import Fact, Touched
from twinsyncd.core.model import SourceKey
from twinsyncd.disk.smb_observer import SmbObserver
from twinsyncd.disk.watcher import Watcher

from .figures import percentile, say

pytestmark = [pytest.mark.bench, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

SAVES: Final = 100
TARGET_S: Final = 0.150
PATIENCE_S: Final = 30.0


@pytest.mark.parametrize("in_place", [False, True], ids=["renamed", "in_place"])
def test_a_save_on_a_share_is_noticed_at_once(tmp_path: Path, in_place: bool) -> None:
    """Without the file server's reports the next scan finds it, up to a minute later."""
    with serving(tmp_path) as samba:
        delays = _delays(samba, in_place=in_place)

    p95_s, scan_s = percentile(delays, 0.95), SCAN_REMOTE.total_seconds()
    say(
        f"a save {'in place' if in_place else 'by renaming'} on a share -> hint, {SAVES} saves",
        f"p50 {median(delays) * 1000:.0f} ms, p95 {p95_s * 1000:.0f} ms",
        f"p95 <= {TARGET_S * 1000:.0f} ms",
        f"by scans alone up to {scan_s:.0f} s: 1/{scan_s / p95_s:.0f}",
        is_met=p95_s <= TARGET_S,
    )


def _delays(samba: Samba, *, in_place: bool) -> list[float]:
    from system.smb_client import Colleague  # noqa: PLC0415 - needs the library
    from twinsyncd.disk.smb_watches import SmbWatches  # noqa: PLC0415 - needs the library

    hinted = [threading.Event() for _ in range(SAVES + 1)]  # each of its own: reports come twice

    def post(fact: Fact) -> None:
        if isinstance(fact, Touched):
            hinted[int(fact.key.path.rpartition("/")[2].removesuffix(".dwg"))].set()

    def remote(_source: SourceKey, _folder: Path) -> SmbObserver:
        return SmbObserver(SmbWatches().open, samba.address(), lambda: samba.credentials)

    colleague = Colleague(samba)
    colleague.make_folder("deep")
    for number in range(SAVES + 1):
        colleague.save(f"deep/{number}.dwg", b"0123456789")
    watcher = Watcher(post, remote=remote)
    watcher.watch(SourceKey("cad"), samba.drive, matcher(("**/*.dwg",), (), ()))
    while not hinted[SAVES].wait(0.1):  # the folder is being opened
        colleague.save_in_place(f"deep/{SAVES}.dwg", b"x")
    delays = []
    for number in range(SAVES):
        started_s = time.perf_counter()
        if in_place:
            colleague.save_in_place(f"deep/{number}.dwg", b"x")
        else:
            colleague.save_like_autocad(f"deep/{number}.dwg")
        assert hinted[number].wait(PATIENCE_S)
        delays.append(time.perf_counter() - started_s)
    watcher.stop()
    colleague.leave()
    return delays
