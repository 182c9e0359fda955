"""People at work on the virtual drive, and the somebody else who starts runs too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twinsyncd.core import facts
from twinsyncd.core.model import FileKey, Outcome

if TYPE_CHECKING:
    from .world import World

FILES = tuple(
    FileKey(source, path)
    for source, paths in (
        ("one/cad", ("a.dgn", "b.dwg", "deep/c.dwg", "deep/d.dgn", "xref/r.dgn", "refused.dwg")),
        ("two/bim", ("e.ifc", "f.ifc")),
    )
    for path in paths
)
CONTENTS = "ABC"  # few contents: going back to an earlier one is common


class People:
    """Saves, touches, renames and deletes at random times, until `end`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.version = 0

    def begin(self) -> None:
        world = self.world
        if world.rnd.random() < 0.3:
            world.cloud.bad_items.add("item1")
        for key in FILES:
            if world.rnd.random() < 0.7:
                self._save(key)
        world.later(world.rnd.expovariate(0.1), self._work)

    def end(self) -> None:
        """Go home: the drive comes back, nobody else starts runs."""
        self.world.drive.outage = ""
        self.world.drive.broken_folders.clear()

    def _work(self) -> None:
        world = self.world
        if world.calm:
            return
        key = world.rnd.choice(FILES)
        acts = (self._save,) * 4 + (
            self._slices,
            self._touch,
            self._delete,
            self._outage,
            self._foreign,
        )
        world.rnd.choice(acts)(key)
        world.later(world.rnd.expovariate(world.rnd.choice((0.02, 0.2, 1.0))), self._work)

    def _content(self, key: FileKey) -> str:
        if self.world.rnd.random() < 0.5:
            return f"{key.path}:{self.world.rnd.choice(CONTENTS)}"
        self.version += 1
        return f"{key.path}:{self.version}"

    def _save(self, key: FileKey) -> None:
        write = self.world.rnd.choice((self.world.drive.write, self.world.drive.replace))
        write(key, self._content(key), self.world.now_s)
        self._hint(key)

    def _slices(self, key: FileKey) -> None:
        """Write in place in slices closer together than the quiet time."""
        content, drive = self._content(key), self.world.drive
        slices = self.world.rnd.randint(1, 4)
        for number in range(slices):
            torn = f"{content}~{self.world.now_s}.{number}"
            action = partial(self._slice, key, torn)
            self.world.later(number * 1.5, action)
        self.world.later(slices * 1.5, lambda: drive.write(key, content, self.world.now_s))
        self.world.later(slices * 1.5, partial(self._hint, key))

    def _slice(self, key: FileKey, torn: str) -> None:
        self.world.drive.write(key, torn, self.world.now_s, torn=True)
        self._hint(key)

    def _touch(self, key: FileKey) -> None:
        if key in self.world.drive.files:
            self.world.drive.touch(key, self.world.now_s)
            self._hint(key)

    def _delete(self, key: FileKey) -> None:
        self.world.drive.delete(key)
        self._hint(key)

    def _outage(self, key: FileKey) -> None:
        """Take the share away for a while, or a part of it."""
        world = self.world
        if not world.chance(world.chances.outage * 10):
            return
        if world.rnd.random() < 0.3:
            folder = key.path.rpartition("/")[0]
            world.drive.broken_folders.add(folder)
            world.later(
                world.rnd.uniform(5, 120), lambda: world.drive.broken_folders.discard(folder)
            )
        else:
            world.drive.outage = world.rnd.choice(("offline", "empty", "other"))
            world.later(world.rnd.uniform(5, 200), lambda: setattr(world.drive, "outage", ""))

    def _foreign(self, key: FileKey) -> None:
        """Somebody else starts a run of some connection of the iModel."""
        world = self.world
        connections = ["portal", *world.cloud.connections]
        if world.chance(world.chances.foreign * 3):
            connection = world.rnd.choice(connections)
            length_s = world.rnd.uniform(1, 120)
            fate = Outcome.SUCCEEDED
            in_doubt = world.asks_for(connection)
            world.cloud.start(
                connection,
                world.now_s,
                ours=in_doubt,
                wanted=True,
                posted=False,
                fate=fate,
                length_s=length_s,
            )

    def _hint(self, key: FileKey) -> None:
        world = self.world
        if world.chance(world.chances.hint_lost):
            return
        for _ in range(world.rnd.choice((1, 1, 2))):
            world.answer(world.rnd.uniform(0.0, 1.0), facts.Touched(key))
