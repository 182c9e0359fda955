# mypy: disable-error-code="arg-type"
# Keys and ids are written as plain text here.
"""A command that waits for a share goes on without what hangs in it, and names it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest
from runtime_scene import CAD, LOOK, WAIT_S, FakeFolder

from twinsyncd.core import commands, facts
from twinsyncd.core.model import BlindSpot
from twinsyncd.runtime.share_folder import ShareFolder
from twinsyncd.runtime.share_threads import ShareThreads

SCAN = commands.Scan(CAD, "drive")
FOUND = facts.FilesFound(CAD, (("a.dgn", LOOK),))


@dataclass
class HangingFolder(FakeFolder):
    """One of which the first scan hangs after it has found something."""

    root_hangs: bool = False
    hang: threading.Event = field(default_factory=threading.Event)
    scanned: int = 0

    def ask(self) -> None:
        if self.root_hangs:
            self.hang.wait(WAIT_S)

    def scan(
        self, command: commands.Scan
    ) -> Iterator[facts.FilesFound | facts.Scanned | facts.ScanFailed]:
        self.scanned += 1
        yield FOUND
        if self.scanned == 1:
            self.hang.wait(WAIT_S)
        yield facts.Scanned(command.source, "drive", 0, blind=(BlindSpot("away", "it hangs"),))


@pytest.fixture
def folder() -> Iterator[HangingFolder]:
    """A folder that hangs until the end of the test."""
    made = HangingFolder()
    yield made
    made.hang.set()


def scanned(folder: HangingFolder) -> list[facts.Fact]:
    """Scan it with a clock that goes on whenever it is read."""
    clock = partial(next, count(1_000.0, 0.5))
    threads = ShareThreads("cad", clock=clock, wall=lambda: 0.0, check_s=0.001)
    found: list[facts.Fact] = list(ShareFolder(folder, threads).scan(SCAN))
    threads.stop()
    return found


def test_a_scan_is_tried_again_without_the_folder_that_hangs(folder: HangingFolder) -> None:
    """`verify` took the whole source for silent, and each of its files for unknown."""
    first, again, end = scanned(folder)

    assert (first, again) == (FOUND, facts.FilesFound(CAD, ()))
    assert isinstance(end, facts.Scanned)
    assert [spot.path for spot in end.blind] == ["away"]


def test_a_share_that_answers_nothing_is_not_tried_again(folder: HangingFolder) -> None:
    """Each try takes a minute."""
    folder.root_hangs = True

    *_, end = scanned(folder)

    assert isinstance(end, facts.ScanFailed)
    assert folder.scanned == 1
