# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""People at work on the virtual drive, and what a watcher hears of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from twinsyncd.core import facts
from twinsyncd.core.model import FileKey

from .purge import Purge

if TYPE_CHECKING:
    from .world import World

CAD = (
    "a.dgn",
    "b.dwg",
    "deep/c.dwg",
    "deep/d.dgn",
    "xref/r.dgn",
    "refused.dwg",
    "odd.dwg",
    "A.dgn",
)
FILES = (
    *(FileKey("one/cad", path) for path in CAD),
    *(FileKey("two/bim", path) for path in ("e.ifc", "f.ifc")),
)
CROWD = tuple(FileKey("three/gis", f"{number}.shp") for number in range(28))
ANNEX = CROWD[:14]
CASES = {FileKey("one/cad", "a.dgn"): FileKey("one/cad", "A.dgn")}  # the same name on the drive
CONTENTS = "ABC"  # few contents: going back to an earlier one is common
BACK_S = (20.0, 200.0)  # when what was deleted is restored,
CONFIRMED_S = (60.0, 85.0)  # or just while a second list takes it for gone
SLICE_S = 1.5  # between two writes of one save; shorter than every quiet time


class People:
    """Save, touch, rename and delete at random times, until all is calm."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.annex = (CROWD if world.chances.purging else ANNEX) if world.chances.annex else ()
        self.files = (*FILES, *self.annex)
        self.saves = 0
        self.purge = Purge(world, self)

    def begin(self) -> None:
        rnd = self.world.rnd
        for key in self.files:
            if rnd.random() < self.world.chances.bad:
                self.world.clouds[self.world.lane_of(key.source)].bad.add(key)
            if rnd.random() < (0.95 if key in CROWD else 0.7):
                self.save(key)
        self.world.later(rnd.expovariate(0.3), self._work)
        if self.world.chances.purging:
            self.purge.begin()

    def end(self) -> None:
        """Go home: the drive comes back."""
        self.mount("")
        self.world.drive.broken_folders.clear()
        self.world.drive.hung_until_s = -1.0

    def save(self, key: FileKey) -> None:
        write = self.world.rnd.choice((self.world.drive.write, self.world.drive.replace))
        write(key, self._content(key), self.world.now_s)
        self.hint(key)

    def touch(self, key: FileKey) -> None:
        if key in self.world.drive.files:
            self.world.drive.touch(key, self.world.now_s)
            self.hint(key)

    def delete(self, key: FileKey) -> None:
        self.world.drive.delete(key)
        self.hint(key)

    def rename(self, key: FileKey, to: FileKey) -> None:
        file = self.world.drive.files.get(key)
        if file and key != to and file.content not in self.world.drive.torn:  # not while it is open
            self.world.drive.move(key, to)
            self.hint(key)
            self.hint(to)

    def hint(self, key: FileKey) -> None:
        """Let the watcher tell of a change: once, twice, late, in general, or not at all."""
        world, chances = self.world, self.world.chances
        if world.chance(chances.hint_lost):
            return
        if world.chance(chances.overflow):
            world.answer(0.1, facts.HintsLost(key.source, "overflow"))
            world.answer(0.1, facts.HintsDegraded(key.source, "limit"))
            return
        for _ in range(world.rnd.choice((1, 1, 2))):
            late_s = world.rnd.uniform(0.0, 0.0 if chances.lazy else 1.0)
            if world.chance(chances.hint_late):
                late_s = world.rnd.uniform(1.0, 90.0)
            world.answer(late_s, facts.Touched(key))

    def _work(self) -> None:
        world = self.world
        if world.calm:
            return
        acts: tuple[Callable[[FileKey], None], ...] = (self.save,) * 4 + (
            self._slices,
            self._slices,
            self.touch,
            self._bin,
            self._move,
            self._dance,
            self._outage,
            self._clear_out,
        )
        if world.chances.lazy:
            acts += (self._slices,) * 6
        world.rnd.choice(acts)(world.rnd.choice(self.files))
        world.later(world.rnd.expovariate(world.rnd.choice((0.05, 0.3, 1.0))), self._work)

    def _content(self, key: FileKey) -> str:
        if self.world.rnd.random() < 0.5:
            return f"{key.path}:{self.world.rnd.choice(CONTENTS)}"
        self.saves += 1
        return f"{key.path}:{self.saves}"

    def _slices(self, key: FileKey) -> None:
        """Write in place in slices closer together than the quiet time."""
        world, content = self.world, self._content(key)
        slices = world.rnd.randint(1, 4)
        self.saves += 1
        for number in range(slices):
            torn = f"{content}~{self.saves}.{number}"
            world.later(number * SLICE_S, partial(self._slice, key, torn))
        world.later(slices * SLICE_S, partial(self._close, key, content))

    def _slice(self, key: FileKey, torn: str) -> None:
        if self.world.chances.lazy:
            self.world.drive.write_unseen(key, torn, self.world.now_s)
        else:
            self.world.drive.write(key, torn, self.world.now_s, torn=True)
        self.hint(key)

    def _close(self, key: FileKey, content: str) -> None:
        self.world.drive.write(key, content, self.world.now_s)
        self.hint(key)

    def _move(self, key: FileKey) -> None:
        if self.world.chance(self.world.chances.moving):
            twin = CASES.get(key)
            self._bring_back(key)
            mates = [each for each in self.files if each.source == key.source]
            self.rename(key, twin or self.world.rnd.choice(mates))

    def _bin(self, key: FileKey) -> None:
        self._bring_back(key)
        self.delete(key)

    def _bring_back(self, key: FileKey) -> None:
        """Perhaps restore the file much later exactly as it is now, time and all."""
        drive, file = self.world.drive, self.world.drive.files.get(key)
        if file is None or file.content in drive.torn or self.world.rnd.random() < 0.5:
            return

        def back() -> None:
            if key not in drive.files:
                drive.files[key] = file
                self.hint(key)

        def restore() -> None:
            """Where no list may follow for hours, come back just before a late one is heard."""
            list_s = self.world.workers.sight.ends_s.get(key.source, 0.0) - self.world.now_s
            self.world.later(max(list_s - 1.0, 0.0) if self.world.chances.watched else 0.0, back)

        rnd = self.world.rnd
        self.world.later(rnd.uniform(*rnd.choice((BACK_S, BACK_S, CONFIRMED_S))), restore)

    def _dance(self, key: FileKey) -> None:
        """Save beside, rename the old one to .bak, rename the new one into its place."""
        world = self.world
        if not world.chance(world.chances.dance):
            return
        content = self._content(key)
        self.delete(key)

        def into_place() -> None:
            world.drive.replace(key, content, world.now_s)
            self.hint(key)

        world.later(world.rnd.uniform(0.05, 3.0), into_place)

    def _clear_out(self, key: FileKey) -> None:
        """Delete nearly everything of one source; perhaps put it back much later."""
        world = self.world
        if not world.chance(world.chances.masses):
            return
        source = self.annex[0].source if self.annex else key.source
        kept = {each: file for each, file in world.drive.files.items() if each.source == source}
        for each in kept:
            self.delete(each)
        if world.rnd.random() < 0.5:
            world.later(world.rnd.uniform(5.0, 150.0), lambda: self._put_back(list(kept)))

    def _put_back(self, keys: list[FileKey]) -> None:
        for key in keys:
            if key not in self.world.drive.files:
                self.save(key)

    def _outage(self, key: FileKey) -> None:
        """Take the share away for a while, or a part of it."""
        world, drive = self.world, self.world.drive
        if not world.chance(world.chances.outage):
            return
        if world.rnd.random() < 0.5:
            folder = key.path.rpartition("/")[0]
            drive.broken_folders.add(folder)
            back_s = world.rnd.uniform(5, 200)
            world.later(back_s, lambda: drive.broken_folders.discard(folder))
        else:
            self.mount(world.rnd.choice(("offline", "empty", "other")))
            world.later(world.rnd.uniform(5, 150), partial(self.mount, ""))

    def mount(self, outage: str) -> None:
        """ApiCalls the drive; a watch that is relied on says that it was on_upgrade."""
        changed, self.world.drive.outage = outage != self.world.drive.outage, outage
        if changed and self.world.chances.watched:
            for source in self.world.office.setup.sources:
                self.world.answer(1.0, facts.HintsLost(source.key, "watched anew"))
