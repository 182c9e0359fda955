"""A scan of a share whose server takes a moment for every list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from system.site import open_site
from twinsyncd.config import load, sources_of
from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import Scanned
from twinsyncd.disk.protocols import Entry
from twinsyncd.disk.scan import scan
from twinsyncd.disk.tree import Tree
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime.share_threads import ShareThreads
from twinsyncd.runtime.state import journal_file

from .drives import fill, remember_synced
from .table import Row, record

pytestmark = pytest.mark.bench

FOLDERS: Final = 1_000
EACH_S: Final = 0.01  # a file server over a line of 10 ms
TARGET: Final = 4.0


@contextmanager
def slow_list(tree: Tree, path: str) -> Iterator[Iterator[Entry]]:
    """List a folder as a server does that is some way off."""
    time.sleep(EACH_S)
    with Tree.list(tree, path) as entries:
        yield entries


def test_folders_of_a_slow_share_are_listed_side_by_side(tmp_path: Path) -> None:
    """One after the other, a hundred thousand folders would take twenty minutes."""
    with open_site(tmp_path, "") as site:
        fill(site.drive, FOLDERS, 10)
        remember_synced(site)
        site.platform.kill()  # nothing of this needs it
        config = load(site.config, {})
    connection, source = next(sources_of(config))
    journal = Journal(open_database(journal_file(config)))
    key = connection.key_of(source)
    threads = ShareThreads(key)
    tree, command = Tree(source.folder, threads.note_progress), Scan(key, "")

    def took_s(submit: object) -> float:
        begun_s = time.perf_counter()
        facts = scan(
            command,
            tree,
            source.matcher(),
            journal,
            lister=slow_list,
            submit=submit,  # type: ignore[arg-type]
        )
        (found,) = threads.each(facts)
        assert isinstance(found, Scanned)
        assert (found.known, found.missing) == (FOLDERS * 10, ())
        return time.perf_counter() - begun_s

    alone_s, together_s = took_s(None), took_s(partial(threads.submit, in_background=True))
    threads.stop()
    journal.close()

    ratio = alone_s / together_s
    record(
        Row(
            f"scan of {FOLDERS:,} folders, {EACH_S * 1000:.0f} ms for each list",
            f"{together_s:.1f} s",
            {"one after the other": f"{alone_s:.1f} s"},
            f"{FOLDERS * EACH_S:.0f} s one by one",
            f"{ratio:.1f} times as fast",
            f">= {TARGET:.0f} times",
            is_met=ratio >= TARGET,
        )
    )
