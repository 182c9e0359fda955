"""On a slow drive a scan lists several folders at a time; on a fast one, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from twinsyncd.disk.listing import Listing
from twinsyncd.disk.listing_ahead import AT_ONCE, ListingsAhead

FOLDERS = [f"{number:02d}" for number in range(20)]


class Drive:
    """Folders that each take so long to list, by a clock that only they move."""

    def __init__(self, each_s: float) -> None:
        self.each_s = each_s
        self.now_s = 0.0
        self.listed: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.refused: set[str] = set()
        self.ahead = ListingsAhead(self.read, self.waiting.append, clock=lambda: self.now_s)

    def read(self, folder: str) -> Listing:
        self.now_s += self.each_s
        self.listed.append(folder)
        if folder in self.refused:
            raise PermissionError(13, "denied", folder)
        return Listing([], [], folder.encode(), [])

    def scan(self, folders: list[str], *, helped: bool) -> list[bytes | None]:
        """Take the folders in order; `helped`: other threads do at once what they are given."""
        digests = []
        for number, folder in enumerate(folders):
            digests.append(self.ahead.take(folder, folders[number + 1 :]).digest)
            while helped and self.waiting:
                self.waiting.pop(0)()
        return digests


def test_a_fast_drive_is_listed_by_one_thread() -> None:
    """Handing work over would take longer than the work."""
    drive = Drive(0.0001)

    drive.scan(FOLDERS, helped=True)

    assert drive.listed == FOLDERS
    assert drive.waiting == []


@pytest.mark.parametrize("helped", [True, False])
def test_a_slow_drive_gives_the_same_lists_each_read_once(helped: bool) -> None:
    """Whether or not a thread is free for them: what nobody has begun is read by the scan."""
    drive = Drive(0.05)

    digests = drive.scan(FOLDERS, helped=helped)
    for late in drive.waiting:
        late()

    assert digests == [folder.encode() for folder in FOLDERS]
    assert sorted(drive.listed) == FOLDERS


def test_few_lists_are_under_way_however_many_folders_follow() -> None:
    """People use the server as well."""
    drive = Drive(0.05)
    drive.ahead.take("a", [])

    drive.ahead.take("b", FOLDERS)

    assert len(drive.waiting) == AT_ONCE


def test_few_lists_are_kept_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds the entries of a folder; what lies in the first folder comes before the second."""
    monkeypatch.setattr("twinsyncd.disk.listing_ahead.KEPT_MAX", 10)
    drive = Drive(0.05)
    drive.ahead.take("a", [])

    for number in range(5):
        inner = [f"{FOLDERS[0]}/{number}/{each}" for each in range(5)]
        drive.ahead.take(f"{FOLDERS[0]}/{number}", inner + FOLDERS)
        while drive.waiting:
            drive.waiting.pop(0)()

    assert len([each for each in drive.listed if each.count("/") != 1]) <= 1 + 10


def test_an_error_of_a_list_ahead_is_that_of_its_folder_alone() -> None:
    """The scan names the folder that nobody may read, and goes on."""
    drive = Drive(0.05)
    drive.refused = {"05"}

    with pytest.raises(PermissionError, match="denied"):
        drive.scan(FOLDERS, helped=True)

    assert drive.scan(FOLDERS[6:], helped=True) == [folder.encode() for folder in FOLDERS[6:]]


def test_a_list_that_another_thread_has_begun_is_waited_for() -> None:
    """Else a slow server would be asked twice."""
    begun, go_on, threads = threading.Event(), threading.Event(), list[threading.Thread]()
    read: list[str] = []

    def slow(folder: str) -> Listing:
        read.append(folder)
        if folder == "b":
            begun.set()
            assert go_on.wait(30)
        return Listing([], [], folder.encode(), [])

    def submit(act: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=act))
        threads[-1].start()

    times = iter(range(100))
    ahead = ListingsAhead(slow, submit, clock=lambda: float(next(times)))
    ahead.take("a", [])
    ahead.take("a2", ["b"])
    assert begun.wait(30)
    threading.Timer(0.0, go_on.set).start()

    assert ahead.take("b", []).digest == b"b"
    assert sorted(read) == ["a", "a2", "b"]
    for thread in threads:
        thread.join()
