# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""How people give files and folders new names, move them and copy them."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from twinsyncd.core import facts
from twinsyncd.core.model import FileKey, OnDelete

from .journal import VirtualJournal

if TYPE_CHECKING:
    from .world import World

EVERY_S = 40.0  # between two acts, as a rule
RESTORED = 0.3
SHARE = 0.3  # of all worlds have somebody who tidies up
STREAM = 171  # chosen so that nobody does in the worlds that once showed a bug


class Renaming:
    """Acts at random times, until all is calm; drawn by itself, like the file."""

    def __init__(self, world: World, seed: int, *, scripted: bool) -> None:
        self.world = world
        self.rnd = Random(f"renaming {STREAM} {seed}")  # noqa: S311 - a world must be replayable
        self.is_on = not scripted and self.rnd.random() < SHARE
        self._names = 0
        self._copies: list[VirtualJournal] = []  # of the journal, oldest first
        self.policies: dict[str, OnDelete] = {}  # by connection, where not all is kept
        if self.is_on and self.rnd.random() < 0.5:
            self.policies = {"two": OnDelete.UNMAP, "three": OnDelete.DELETE}
            if self.rnd.random() < 0.5:
                self.policies["one"] = self.rnd.choice((OnDelete.UNMAP, OnDelete.DELETE))

    def begin(self) -> None:
        if self.is_on:
            self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._work)

    def _work(self) -> None:
        if not self.world.calm:
            self.act()
            self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._work)

    def act(self) -> None:
        """Do one thing to some file that nobody has open."""
        drive = self.world.drive
        closed = [key for key, file in drive.files.items() if file.content not in drive.torn]
        if closed:
            acts = (
                self.rename,
                self.rename,
                self.move,
                self.move,
                self.move,
                self._rename_folder,
                self._copy,
                self._pause,
                self._hang,
                self._back_up,
            )
            self.rnd.choice(acts)(self.rnd.choice(sorted(closed)))

    def rename(self, key: FileKey) -> FileKey:
        """Give a file another name in its folder."""
        folder, slash, name = key.path.rpartition("/")
        return self._go(key, f"{folder}{slash}{self._next()} {name}")

    def move(self, key: FileKey) -> FileKey:
        """Move a file to another folder; perhaps somebody edits it there before anybody looks."""
        to = self._go(key, f"moved {self._next()}/{key.path.rpartition('/')[2]}")
        if self.rnd.random() < 0.3:
            content = f"{to.path}:{self._names} edited"
            self.world.drive.write(to, content, self.world.now_s)
        return to

    def _rename_folder(self, key: FileKey) -> None:
        folder = key.path.rpartition("/")[0]
        to, drive = f"folder {self._next()}", self.world.drive
        for each in sorted(drive.files):
            is_in = each.source == key.source and each.path.rpartition("/")[0] == folder
            if is_in and drive.files[each].content not in drive.torn:
                self._go(each, f"{to}/{each.path.rpartition('/')[2]}")

    def _pause(self, key: FileKey) -> None:
        """Let a person pause the file's connection, or all, for a while."""
        meant = self.rnd.choice((None, self.world.owner_of(key)))
        self.world.ask(facts.PauseAsked(meant))
        back = partial(self.world.ask, facts.ResumeAsked(meant))
        self.world.later(self.rnd.uniform(5.0, 120.0), back)

    def _hang(self, key: FileKey) -> None:
        """Let the drive be silent for a while."""
        self.world.drive.hung_until_s = self.world.now_s + self.rnd.uniform(5.0, 150.0)

    def _back_up(self, key: FileKey) -> None:
        """Copy the journal; somebody may put the copy back while the daemon is down."""
        if self.world.tampering.is_on and type(self.world.journal) is VirtualJournal:
            self._copies.append(self.world.journal.copy())

    def restore(self) -> None:
        """Perhaps put an older copy of the journal back, as a crash ends."""
        if self._copies and self.rnd.random() < RESTORED:
            self.world.journal.put_back(self.rnd.choice(self._copies))
            for cloud in self.world.clouds.values():
                cloud.forget_claims()
            self.world.promises.restored()

    def _copy(self, key: FileKey) -> None:
        drive, to = self.world.drive, key._replace(path=f"copy {self._next()} of {key.path}")
        drive.replace(to, drive.files[key].content, self.world.now_s)
        self.world.people.hint(to)

    def _go(self, key: FileKey, path: str) -> FileKey:
        to = key._replace(path=path)
        self.world.people.rename(key, to)
        return to

    def _next(self) -> int:
        self._names += 1
        return self._names
