"""A comparison with the cloud: 10,000 files in few calls."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import httpx
import pytest

from system.site import open_site
from system.waiting import wait_until
from twinsyncd.cloud.network import NetworkTransport, read_proxies, trusted_certificates
from twinsyncd.cloud.session import open_cloud
from twinsyncd.config import load
from twinsyncd.core.commands import Compare, ExpectedFile, Prepare, StoredFile
from twinsyncd.core.model import NO_RUN
from twinsyncd.journal.database import open_read_only
from twinsyncd.journal.reader import JournalReader
from twinsyncd.runtime.cloud_wiring import cloud_settings, open_targets

from .drives import fill
from .figures import Stopwatch, say
from .test_first_sync import NO_RUN as NEVER_RUN

pytestmark = pytest.mark.bench

FILES: Final = 10_000
FOLDERS: Final = 10
CALLS_MAX: Final = 30
TARGET_S: Final = 5.0


class Counting(httpx.BaseTransport):
    """The network, with the calls counted by method."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        """`inner` carries them out."""
        self.inner = inner
        self.calls: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Count and carry out."""
        self.calls[request.method] += 1
        return self.inner.handle_request(request)

    def close(self) -> None:
        """Close the network."""
        self.inner.close()


def test_a_comparison_of_ten_thousand_files_takes_few_calls(tmp_path: Path) -> None:
    """It is made at every start and every day, so it must cost next to nothing."""
    with open_site(tmp_path, NEVER_RUN) as site:
        fill(site.drive, folders=FOLDERS, files_each=FILES // FOLDERS, size_bytes=64)
        with site.daemon():
            wait_until(lambda: site.counts().to_run == FILES, "all are stored", 900.0, every_s=1.0)
        config = load(site.config)
        connection = config.connection[0].key
        engine = open_read_only(site.journal)
        sources = [config.connection[0].key_of(each) for each in config.connection[0].source]
        rows = list(JournalReader(engine).every(sources))
        engine.dispose()
        urls = (config.platform.api_url, config.platform.issuer_url)
        way = read_proxies(urls), trusted_certificates()
        network = Counting(NetworkTransport(*way, connections_max=4, idle_s=4.0))
        with open_cloud(cloud_settings(config), transport=network) as cloud:
            target = open_targets(config, cloud)[connection]
            expected = tuple(ExpectedFile(row.key, row.storage_id) for row in rows)
            prepared = target.prepare(Prepare(connection, "", expected))
            files = tuple(
                StoredFile(row.key, row.storage_id, row.stored, 64, row.version, True)
                for row in rows
            )
            network.calls.clear()
            watch = Stopwatch()
            with watch.timing():
                found = target.compare(Compare(connection, prepared.remote_id, files, NO_RUN))

    calls = network.calls.total()
    say(
        f"comparison of {FILES:,} files",
        f"{watch.took_s:.2f} s",
        f"<= {TARGET_S:.0f} s, <= {CALLS_MAX} calls",
        f"{calls} calls",
        is_met=calls <= CALLS_MAX and watch.took_s <= TARGET_S,
    )
    assert found.differences == ()
