# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""Somebody who gives files each other's names; drawn apart from other troubles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinsyncd.core.model import FileKey

from .random_acts import RandomActs

if TYPE_CHECKING:
    from .world import World

EVERY_S = 60.0  # between two acts, as a rule
SHARE = 0.4  # of the worlds in which somebody renames files
MOST = 4  # files at a time


class Shuffling(RandomActs):
    """Lets some files of one folder pass on their names: in a ring, or over the last one."""

    def __init__(self, world: World, seed: int, *, renaming: bool) -> None:
        super().__init__(world, f"shuffling {seed}", may=renaming, share=SHARE, every_s=EVERY_S)

    def act(self) -> None:
        drive = self.world.drive
        closed = [key for key, file in drive.files.items() if file.content not in drive.torn]
        source = self.rnd.choice(self.world.office.whole.sources).key
        mates = sorted(key for key in closed if key.source == source)
        if len(mates) > 1:
            self._pass_on(self.rnd.sample(mates, min(len(mates), self.rnd.randint(2, MOST))))

    def _pass_on(self, keys: list[FileKey]) -> None:
        files = self.world.drive.files
        held = {key: files.pop(key) for key in keys}
        for key, to in zip(keys, [*keys[1:], keys[0]], strict=True):
            files[to] = held[key]
        if self.rnd.random() < 0.3:  # nobody follows the last one
            del files[keys[0]]
        for key in keys:
            self.world.people.hint(key)
