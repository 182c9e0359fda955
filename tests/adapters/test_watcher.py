# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""The watcher against the real kernel: what it posts, and what it reports when it cannot."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from twinsyncd.core.facts import Fact, HintsLost, Touched
from twinsyncd.core.model import FileKey
from twinsyncd.disk.hints import HintPoster
from twinsyncd.disk.inotify import LIMITS, InotifyObserver, InotifyQueues
from twinsyncd.disk.look import digest_of, look
from twinsyncd.disk.mounts import Mount
from twinsyncd.disk.observer import WITH_MODIFIED, TreeObserver
from twinsyncd.disk.tree import Tree
from twinsyncd.disk.watcher import Watcher

DEADLINE_S = 30.0
"""Only a broken watcher waits this long; a working one posts at once."""


class Posted:
    """Everything that was posted, and a way to wait for it."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.paths: set[str] = set()
        self.losses: list[str] = []
        self._reached = threading.Event()
        self._complete: Callable[[], bool] = lambda: False
        self._lock = threading.Lock()

    def post(self, fact: Fact) -> None:
        with self._lock:
            self.facts.append(fact)
            match fact:
                case Touched(key=key):
                    self.paths.add(key.path)
                case HintsLost(reason=reason):
                    self.losses.append(reason)
            if self._complete():
                self._reached.set()

    def until(self, complete: Callable[[], bool]) -> None:
        """Return when `complete` holds; it is asked after every fact, by the one who posts."""
        with self._lock:
            self._reached = threading.Event()
            self._complete = complete
            if complete():
                return
        assert self._reached.wait(DEADLINE_S), self.facts[-5:]

    def touches(self, *paths: str) -> None:
        self.until(lambda: set(paths) <= self.paths)

    def everything(self, folder: Path) -> None:
        """Return once all that happened so far was posted: events keep their order."""
        (folder / "last.dwg").write_bytes(b"")
        self.touches("last.dwg")
        self.facts = [fact for fact in self.facts if fact != Touched(FileKey("s", "last.dwg"))]


class Drawings:
    """Wants every .dwg and .dgn outside folders named archive."""

    def file(self, path: str) -> bool:
        return path.endswith((".dwg", ".dgn"))

    def name(self, name: str) -> bool:
        return name.endswith((".dwg", ".dgn"))

    def folder(self, path: str) -> bool:
        return "archive" not in path.split("/")


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def watcher(posted: Posted) -> Iterator[Watcher]:
    made = Watcher(posted.post)
    yield made
    made.stop()


@pytest.fixture
def drive(watcher: Watcher, tmp_path: Path) -> Path:
    """A watched folder of source "s" with one folder and two drawings in it."""
    folder = tmp_path / "drive"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.dgn").write_bytes(b"before")
    (folder / "sub/b.dwg").write_bytes(b"before")
    watcher.watch("s", folder, Drawings())
    return folder


# ---- saves ----------------------------------------------------------------------------


def test_a_new_file_is_a_hint(drive: Path, posted: Posted) -> None:
    """A drawing copied to the drive must not wait for the next scan."""
    (drive / "sub/new.dgn").write_bytes(b"x")

    posted.touches("sub/new.dgn")

    assert posted.facts[0] == Touched(FileKey("s", "sub/new.dgn"))


def test_a_write_in_place_is_a_hint(drive: Path, posted: Posted) -> None:
    """MicroStation saves into the file itself."""
    with (drive / "a.dgn").open("r+b") as handle:
        handle.write(b"after!")

    posted.touches("a.dgn")


def test_a_write_to_a_file_that_stays_open_is_a_hint(drive: Path, posted: Posted) -> None:
    """MicroStation, and a file server for it, keep a drawing open for as long as somebody works."""
    with (drive / "a.dgn").open("r+b", buffering=0) as handle:
        handle.write(b"after!")

        posted.touches("a.dgn")


def test_a_deletion_is_a_hint(drive: Path, posted: Posted) -> None:
    """What is gone is looked at like anything else."""
    (drive / "a.dgn").unlink()

    posted.touches("a.dgn")


def test_a_rename_is_a_hint_at_both_ends(drive: Path, posted: Posted) -> None:
    """The old path is gone and the new one is there: both must be looked at."""
    (drive / "a.dgn").rename(drive / "sub/c.dgn")

    posted.touches("a.dgn", "sub/c.dgn")


def test_a_file_moved_into_the_drive_is_a_hint(drive: Path, posted: Posted, tmp_path: Path) -> None:
    """Programs that write elsewhere and move the result never write on the drive."""
    (tmp_path / "made.dwg").write_bytes(b"x")

    (tmp_path / "made.dwg").rename(drive / "made.dwg")

    posted.touches("made.dwg")


def test_a_save_of_autocad_is_a_hint_for_the_drawing(drive: Path, posted: Posted) -> None:
    """AutoCAD never writes the drawing: it renames a finished one into its place."""
    drawing, backup, fresh = drive / "sub/b.dwg", drive / "sub/b.bak", drive / "sub/sav1.tmp"
    fresh.write_bytes(b"after")
    with suppress(FileNotFoundError):
        backup.unlink()

    drawing.rename(backup)
    fresh.rename(drawing)

    posted.touches("sub/b.dwg")
    assert posted.paths == {"sub/b.dwg"}


def test_other_files_are_no_hints(drive: Path, posted: Posted) -> None:
    """Lock and temporary files come by the thousand and must cost nothing."""
    for name in ["a.dwl", "sub/x.tmp", "notes.txt"]:
        (drive / name).write_bytes(b"x")

    posted.everything(drive)

    assert posted.facts == []


def test_our_own_reading_is_no_hint(drive: Path, posted: Posted) -> None:
    """Hashing that causes events causes hashing; a large drive would never settle."""
    fingerprint = look(Tree(drive), "a.dgn")
    assert fingerprint is not None
    digest_of(Tree(drive), "a.dgn", fingerprint)
    assert [path.name for path in drive.rglob("*.dwg")] == ["b.dwg"]

    posted.everything(drive)

    assert posted.facts == []


def test_a_burst_loses_nothing_unnoticed(drive: Path, posted: Posted) -> None:
    """Unpacking an archive makes more files at once than the kernel's queue holds."""
    names = {f"sub/{number}.dgn" for number in range(20_000)}
    for name in names:
        os.close(os.open(drive / name, os.O_CREAT | os.O_WRONLY))

    posted.until(lambda: len(posted.paths) == len(names) or posted.losses != [])

    assert posted.losses != [] or posted.paths == names


def test_names_that_are_no_unicode_do_not_stop_the_watcher(drive: Path, posted: Posted) -> None:
    """One bad name from an old archive must not end the watch."""
    (drive / os.fsdecode(b"br\xfccke.dgn")).write_bytes(b"x")

    posted.everything(drive)

    assert posted.facts == []


# ---- folders --------------------------------------------------------------------------


def test_a_new_folder_is_a_hint_and_its_content_too(drive: Path, posted: Posted) -> None:
    """Files may be in it before it is watched, so a scan is needed as well."""
    (drive / "new/deep/er").mkdir(parents=True)
    (drive / "new/deep/er/x.dgn").write_bytes(b"x")

    posted.touches("new/deep/er/x.dgn")

    assert len(posted.losses) == 1
    assert "was created" in posted.losses[0]


@pytest.mark.parametrize("target", ["moved", "../outside"])
def test_a_folder_that_moves_needs_a_scan(drive: Path, posted: Posted, target: str) -> None:
    """Its files change their paths, or leave, without an event of their own."""
    (drive / "sub").rename(drive / target)

    posted.until(lambda: posted.losses != [])

    assert "'sub' was" in posted.losses[0]


def test_many_changed_folders_are_told_once_until_the_next_check(
    drive: Path, posted: Posted, watcher: Watcher
) -> None:
    """A thousand new folders need one scan, and one more for those after it began."""
    for number in range(100):
        (drive / f"{number}").mkdir()
    posted.everything(drive)
    posted_at_once = len(posted.losses)

    watcher.check("s")
    watcher.check("s")

    assert posted_at_once == 1
    assert len(posted.losses) == 2


def test_folders_that_can_hold_no_match_are_not_watched(tmp_path: Path, posted: Posted) -> None:
    """Watches are a scarce good of the kernel."""
    for folder in ["one", "archive/old", "two/archive"]:
        (tmp_path / folder).mkdir(parents=True)
    asked: list[bytes] = []
    watcher = Watcher(posted.post, make=lambda hints: InotifyObserver(hints, asked.append))

    watcher.watch("s", tmp_path, Drawings())
    watcher.stop()

    assert sorted(asked) == [os.fsencode(tmp_path / name) for name in ["", "one", "two"]]
    assert watcher.trouble() == {}


# ---- when hints are lost --------------------------------------------------------------


class Stalling(Drawings):
    """Holds up the thread that empties the kernel's queue, as a busy machine does."""

    def __init__(self) -> None:
        self.stalled = threading.Event()
        self.go_on = threading.Event()

    def folder(self, path: str) -> bool:
        if path == "stall" and not self.go_on.is_set():
            self.stalled.set()
            self.go_on.wait(DEADLINE_S)
        return super().folder(path)


def test_an_overflow_of_the_kernels_queue_is_told(
    watcher: Watcher, posted: Posted, tmp_path: Path
) -> None:
    """Events that the kernel dropped are found by a scan, if only somebody asks for it."""
    queued_max = int((LIMITS / "max_queued_events").read_text())
    wanted = Stalling()
    watcher.watch("s", tmp_path, wanted)
    (tmp_path / "stall").mkdir()
    assert wanted.stalled.wait(DEADLINE_S)
    files = [str(tmp_path / "a.dgn"), str(tmp_path / "b.dgn")]

    for number in range(queued_max + 10):  # two in turn: equal neighbours count as one event
        os.close(os.open(files[number % 2], os.O_CREAT | os.O_WRONLY))
    wanted.go_on.set()
    posted.until(lambda: posted.losses != [])
    watcher.check("s")

    posted.until(lambda: any("overflowed" in reason for reason in posted.losses))
    (tmp_path / "stall/after.dgn").write_bytes(b"x")
    posted.touches("stall/after.dgn")


class Failing(Drawings):
    """A matcher with a defect."""

    def file(self, path: str) -> bool:
        if path == "bad.dgn":
            raise ValueError(path)
        return super().file(path)


def test_a_defect_in_matching_costs_a_scan_and_not_the_watch(
    watcher: Watcher, posted: Posted, tmp_path: Path
) -> None:
    """An exception would silently end the thread that delivers all events."""
    watcher.watch("s", tmp_path, Failing())
    (tmp_path / "bad.dgn").write_bytes(b"x")
    (tmp_path / "good.dgn").write_bytes(b"x")

    posted.touches("good.dgn")

    assert "could not be understood" in posted.losses[0]


# ---- what is not watched --------------------------------------------------------------


class ScarceWatches:
    """Refuses watches past a number, with the kernel's own error."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.given = 0

    def __call__(self, folder: bytes) -> None:
        if self.given == self.limit:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        self.given += 1


def test_folders_beyond_the_limit_are_told_with_the_remedy(tmp_path: Path, posted: Posted) -> None:
    """Watchdog ignores the refusal: a third of the drive would never be watched."""
    drive, limits = tmp_path / "drive", tmp_path / "limits"
    limits.mkdir()
    (limits / "max_user_watches").write_text("4\n")
    for number in range(9):
        (drive / f"{number}").mkdir(parents=True)
    scarce = ScarceWatches(4)
    watcher = Watcher(posted.post, make=lambda hints: InotifyObserver(hints, scarce, limits))

    watcher.watch("s", drive, Drawings())
    watcher.check("s")
    before = watcher.trouble()
    scarce.limit = 100
    (limits / "max_user_watches").write_text("100\n")
    watcher.check("s")
    after = watcher.trouble()
    watcher.stop()

    assert "6 folders" in before["s"]
    assert "sysctl -w fs.inotify.max_user_watches=524288" in before["s"]
    assert after == {}
    assert posted.losses == ["more folders can be watched now"]


def test_a_root_beyond_the_limit_is_told_with_the_remedy(tmp_path: Path, posted: Posted) -> None:
    """With no watch left the source is not watched, and the daemon must start nevertheless."""
    watcher = Watcher(
        posted.post, make=lambda hints: InotifyObserver(hints, ScarceWatches(0), tmp_path)
    )

    watcher.watch("s", tmp_path, Drawings())

    assert "sysctl -w fs.inotify.max_user_watches" in watcher.trouble()["s"]


def test_a_missing_folder_is_watched_when_it_appears(
    watcher: Watcher, posted: Posted, tmp_path: Path
) -> None:
    """At boot the daemon is often up before the share."""
    folder = tmp_path / "drive"
    watcher.watch("s", folder, Drawings())
    before = watcher.trouble()
    folder.mkdir()

    watcher.check("s")
    (folder / "a.dgn").write_bytes(b"x")

    posted.touches("a.dgn")
    assert "cannot be watched" in before["s"]
    assert watcher.trouble() == {}
    assert posted.losses == ["the folder is watched again"]


def test_a_file_in_place_of_the_folder_is_told(
    watcher: Watcher, posted: Posted, tmp_path: Path
) -> None:
    """Watchdog would watch its parent instead, with everything in it."""
    (tmp_path / "drive").write_bytes(b"")

    watcher.watch("s", tmp_path / "drive", Drawings())

    assert "cannot be watched: Not a directory" in watcher.trouble()["s"]


def test_a_folder_that_is_a_link_is_watched_at_its_target(
    watcher: Watcher, posted: Posted, tmp_path: Path
) -> None:
    """The kernel would watch the link, and nothing ever happens to that."""
    (tmp_path / "target/sub").mkdir(parents=True)
    (tmp_path / "drive").symlink_to(tmp_path / "target")

    watcher.watch("s", tmp_path / "drive", Drawings())
    (tmp_path / "target/a.dgn").write_bytes(b"x")
    (tmp_path / "target/sub/b.dgn").write_bytes(b"x")

    posted.touches("a.dgn", "sub/b.dgn")


def test_a_folder_that_was_replaced_is_watched_anew(
    drive: Path, watcher: Watcher, posted: Posted
) -> None:
    """A remounted share has the same path, and the old watches are dead without a word."""
    drive.rename(drive.with_name("away"))
    watcher.check("s")
    while_away = watcher.trouble()
    drive.mkdir()
    watcher.check("s")
    (drive / "new.dgn").write_bytes(b"x")

    posted.touches("new.dgn")

    assert "No such file" in while_away["s"]
    assert watcher.trouble() == {}
    assert "the folder is watched again" in posted.losses


def test_a_folder_that_is_lost_asks_for_a_scan_once(
    drive: Path, watcher: Watcher, posted: Posted
) -> None:
    """The scan reports that the share is away; nobody need wait for the regular one."""
    drive.rename(drive.with_name("away"))

    watcher.check("s")
    watcher.check("s")

    assert posted.losses == ["the folder is not watched any more"]


def test_a_folder_exchanged_between_two_checks_is_noticed(
    drive: Path, watcher: Watcher, posted: Posted
) -> None:
    """The path exists at every check, and still it is another folder."""
    drive.rename(drive.with_name("away"))
    drive.mkdir()
    watcher.check("s")
    (drive / "new.dgn").write_bytes(b"x")

    posted.touches("new.dgn")

    assert "the folder was replaced or remounted" in posted.losses


def test_a_drive_mounted_inside_is_watched_and_scanned_at_once(
    tmp_path: Path, posted: Posted
) -> None:
    """The watches are on the folder below it, which nobody can see any more."""
    (tmp_path / "survey").mkdir()
    point = Mount("0:50", str(tmp_path / "survey"), "ext4", "/dev/sdb1")
    inside: list[Mount] = []
    watcher = Watcher(posted.post, is_remote=lambda _: False, listed=lambda: list(inside))
    watcher.watch("s", tmp_path, Drawings())
    watcher.check("s")
    before = list(posted.losses)

    inside.append(point)
    watcher.check("s")
    watcher.check("s")
    inside.clear()
    watcher.check("s")
    watcher.stop()

    assert before == []
    assert posted.losses == ["a drive inside the folder was mounted or unmounted"] * 2


class Mortal(TreeObserver):
    """An observer that runs until a test ends it."""

    def __init__(self) -> None:
        self.alive = False
        self.ended = 0

    def start(self, folder: str, hints: HintPoster) -> None:
        self.alive = True

    def stop(self) -> None:
        self.ended += 1

    def is_alive(self) -> bool:
        return self.alive


def test_a_dead_thread_is_noticed_and_replaced(tmp_path: Path, posted: Posted) -> None:
    """Watchdog calls itself alive when the thread that reads is long dead."""
    made: list[Mortal] = []

    def make(hints: HintPoster) -> Mortal:
        made.append(Mortal())
        return made[-1]

    watcher = Watcher(posted.post, make=make)
    watcher.watch("s", tmp_path, Drawings())
    watcher.check("s")
    made[0].alive = False
    watcher.check("s")
    watcher.check("s")

    assert [one.ended for one in made] == [1, 0]
    assert posted.losses == ["a thread of the watcher had died"]


def test_a_system_without_queues_is_told_with_the_remedy(tmp_path: Path, posted: Posted) -> None:
    """The daemon goes on with scans alone, and says why it is slow."""

    def make(hints: HintPoster) -> TreeObserver:
        raise OSError(errno.EMFILE, "raise fs.inotify.max_user_instances")

    watcher = Watcher(posted.post, make=make)
    watcher.watch("s", tmp_path, Drawings())

    assert "max_user_instances" in watcher.trouble()["s"]


# ---- life -----------------------------------------------------------------------------


def test_sources_are_watched_apart(drive: Path, watcher: Watcher, posted: Posted) -> None:
    """Two connections may watch the same folder for different files."""
    watcher.watch("t", drive / "sub", Drawings())

    (drive / "sub/new.dgn").write_bytes(b"x")

    keys = {FileKey("s", "sub/new.dgn"), FileKey("t", "new.dgn")}
    posted.until(lambda: keys <= {fact.key for fact in posted.facts if isinstance(fact, Touched)})


def test_a_hundred_sources_of_one_drive_need_one_thread(tmp_path: Path, posted: Posted) -> None:
    """The system has 128 queues for a user; a thread for each source costs memory and turns."""
    threads = set(threading.enumerate())
    watcher = Watcher(posted.post)
    for number in range(150):
        (tmp_path / f"{number}").mkdir()
        watcher.watch(f"s{number}", tmp_path / f"{number}", Drawings())
    started = len(set(threading.enumerate()) - threads)
    watcher.unwatch("s0")

    (tmp_path / "0/a.dgn").write_bytes(b"x")
    (tmp_path / "149/b.dgn").write_bytes(b"x")
    posted.touches("b.dgn")
    trouble = watcher.trouble()
    watcher.stop()

    assert started == 1
    assert trouble == {}
    assert {fact.key for fact in posted.facts if isinstance(fact, Touched)} == {
        FileKey("s149", "b.dgn")
    }


def test_a_queue_that_died_is_replaced_for_all_its_sources(tmp_path: Path, posted: Posted) -> None:
    """Its sources notice one after another, and must meet in the new one."""
    queues = InotifyQueues()
    watcher = Watcher(posted.post, make=lambda hints: InotifyObserver(hints, queues=queues))
    for name in ["one", "two"]:
        (tmp_path / name).mkdir()
        watcher.watch(name, tmp_path / name, Drawings())
    dead = queues.take(tmp_path.stat().st_dev)
    dead.stop()
    dead.join()

    watcher.check("one")
    watcher.check("two")
    for name in ["one", "two"]:
        (tmp_path / name / f"{name}.dgn").write_bytes(b"x")
    posted.touches("one.dgn", "two.dgn")
    watcher.stop()

    assert posted.losses == ["a thread of the watcher had died"] * 2


def test_nothing_runs_or_speaks_after_stopping(tmp_path: Path, posted: Posted) -> None:
    """A daemon that is going down must not receive new work."""
    threads = set(threading.enumerate())
    watcher = Watcher(posted.post)
    (tmp_path / "sub").mkdir()
    watcher.watch("s", tmp_path, Drawings())
    watcher.watch("t", tmp_path / "sub", Drawings())

    watcher.unwatch("t")
    watcher.unwatch("never watched")
    watcher.stop()
    (tmp_path / "a.dgn").write_bytes(b"x")

    assert set(threading.enumerate()) == threads
    assert posted.facts == []


class Hung(Mortal):
    """Something that lists the tree of a share whose server is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.answers = threading.Event()

    def start(self, folder: str, hints: HintPoster) -> None:
        self.entered.set()
        assert self.answers.wait(DEADLINE_S)


def test_a_hung_drive_delays_neither_another_watch_nor_the_stop(
    tmp_path: Path, posted: Posted
) -> None:
    """The share may answer tomorrow; then its watch ends by itself (P14)."""
    hung, good = Hung(), Mortal()
    made: list[Mortal] = [hung, good]
    watcher = Watcher(posted.post, make=lambda _: made.pop(0), stop_s=0.0)
    begin = threading.Thread(target=watcher.watch, args=("s", tmp_path, Drawings()))
    begin.start()
    assert hung.entered.wait(DEADLINE_S)

    watcher.watch("t", tmp_path, Drawings())
    trouble = watcher.trouble()
    watcher.stop()
    hung.answers.set()
    begin.join(DEADLINE_S)

    assert good.alive
    assert "has not answered" in trouble["s"]
    assert "t" not in trouble
    assert hung.ended >= 1


def test_a_network_drive_is_not_watched_and_that_is_no_trouble(
    tmp_path: Path, posted: Posted
) -> None:
    """Nothing reports what other hosts write there; scans do."""
    watcher = Watcher(posted.post, make=lambda _: Mortal(), is_remote=lambda _: True)

    watcher.watch("s", tmp_path, Drawings())
    watcher.check("s")

    assert watcher.trouble() == {}
    assert posted.facts == []
    watcher.stop()


def test_on_a_network_drive_each_check_looks_where_people_worked_lately(
    tmp_path: Path, posted: Posted
) -> None:
    """So a second save there is found before the next scan of all."""
    watcher = Watcher(posted.post, is_remote=lambda _: True, recent=lambda _: [""])
    watcher.watch("s", tmp_path, Drawings())
    watcher.check("s")

    (tmp_path / "plan.dgn").write_bytes(b"x")
    give_up_s = time.monotonic() + DEADLINE_S
    while not posted.paths and time.monotonic() < give_up_s:  # after a rest, however short
        watcher.check("s")

    assert posted.paths == {"plan.dgn"}
    assert posted.losses == []
    watcher.stop()


def test_watching_again_replaces_the_folder(drive: Path, watcher: Watcher, posted: Posted) -> None:
    """A changed configuration moves a source without a restart."""
    other = drive.with_name("other")
    other.mkdir()

    watcher.watch("s", other, Drawings())
    (drive / "old.dgn").write_bytes(b"x")
    posted.everything(other)

    assert posted.facts == []


def test_systems_without_close_events_hear_writes(tmp_path: Path, posted: Posted) -> None:
    """Windows and macOS report every write, but not the end of writing."""
    from watchdog.observers import Observer  # noqa: PLC0415 - as the watcher does elsewhere

    (tmp_path / "a.dgn").write_bytes(b"before")
    watcher = Watcher(posted.post, make=lambda _: TreeObserver(Observer(), WITH_MODIFIED))
    watcher.watch("s", tmp_path, Drawings())

    with (tmp_path / "a.dgn").open("r+b", buffering=0) as handle:
        handle.write(b"after!")
        posted.touches("a.dgn")
    watcher.check("s")
    watcher.stop()

    assert watcher.trouble() == {}
    assert posted.losses == []
