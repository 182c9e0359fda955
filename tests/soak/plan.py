"""What happens in which round, decided by the seed alone: changes, kills and faults, with times.

The same seed gives the same choices, whatever the programs under test do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .acts import (
    Act,
    Block,
    Delete,
    Disturb,
    Harm,
    Kill,
    Meddle,
    Outage,
    Plug,
    Program,
    Rename,
    Replace,
    Rewind,
    Slice,
    Step,
    Tamper,
    Touch,
    Unplug,
)
from .proxy import Fault

FOLDERS: Final = {"models": "ifc", "plans": "dxf"}  # one connection each, both of one iModel
FILES_EACH: Final = 10
ROUND_S: Final = 1.0
AFTERMATH_S: Final = 4.0  # kills hit uploads and runs, which begin when the drive is quiet
SLICE_S: Final = 0.04  # between two slices of a save; far below the time a file must be quiet
PAUSE_S: Final = 0.35  # of a slow one: below it still, yet time enough to store a half-written file
DELETED_MAX: Final = 5  # more missing at once would be a mass deletion, which waits for a person
OUTAGE_S: Final = 8.0  # at most; the daemon looks after its folders every five seconds
OUTAGE_SHARE: Final = 0.3  # blocks after which a drive is away for a moment
MOMENTS: Final = (
    "",
    "upload",
    "preparing",
    "starting",
    "running",
    "running",
)  # that kills are aimed at
TAMPERED_SHARE: Final = 0.3  # blocks in which a stranger does harm in the cloud
REWOUND_SHARE: Final = 0.1  # blocks after which an older journal is put back
CALM_SHARE: Final = 0.25  # blocks in which files are touched only, so that no run may start


@dataclass(slots=True)
class Planner:
    """Draws rounds; remembers which version each file has, to go back to it now and then."""

    seed: int
    versions: dict[str, list[int]] = field(default_factory=dict)  # all so far, oldest first
    deleted: set[str] = field(default_factory=set)
    _stale: set[str] = field(default_factory=set)  # changed in this block
    _next_version: int = 1
    _renamed: int = 0
    _hears: bool = True  # the daemon is up in this round, and was in the one before
    _hides: bool = False  # so a change may show by its hints alone
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random.seed(self.seed)

    def first_files(self) -> Iterator[Replace]:
        """Yield the saves that fill the drive."""
        for folder, suffix in FOLDERS.items():
            for number in range(FILES_EACH):
                size = "large" if number == 0 and suffix == "ifc" else "part"
                yield self._replace(f"{folder}/storey{number % 3}/{size}{number:02}.{suffix}")

    def block(self, rounds: int) -> Block:
        """Draw the next so many rounds."""
        self._stale.clear()
        calm = self._random.random() < CALM_SHARE
        self._hears = True
        drawn = [self._round(calm=calm) for _ in range(rounds)]
        aftermath = [*self._aimed_kills(), *self._faults(), *self._meddling(0.5)]
        aftermath += [*self._outage(), *self._tampering(), *self._rewinding()]
        return Block(drawn, sorted(aftermath, key=lambda step: step.at_s), calm)

    def _round(self, *, calm: bool) -> list[Step]:
        draw, kills = self._random, self._kills()
        killed = any(isinstance(s.act, Kill) and s.act.program is Program.DAEMON for s in kills)
        heard, self._hears = self._hears, not killed
        self._hides = heard and not killed
        there, gone = sorted(self.versions.keys() - self.deleted), sorted(self.deleted)
        chosen = draw.sample(there, draw.randint(1, 4))
        steps: list[Step] = []
        for path in chosen:
            steps += self._touch(path) if calm else self._change(path)
        if gone and not calm and draw.random() < 0.5:
            steps.append(self._step(self._replace(draw.choice(gone))))
        steps += [*kills, *self._faults(), *self._meddling(0.15)]
        return sorted(steps, key=lambda step: step.at_s)

    def _change(self, path: str) -> list[Step]:
        draw = self._random.random()
        if draw < 0.25:
            return self._slices(path, fresh=self._random.random() < 0.6)
        if draw < 0.45:
            return self._slow_slices(path)
        if draw < 0.65:
            return [self._step(self._replace(path))]
        if draw < 0.70:
            return self._touch(path)
        if draw < 0.75:
            return self._rename(path)
        if draw < 0.85:
            return [self._step(self._restore(path))]
        if draw < 0.92:
            gone = self._step(Delete(path))
            return [gone, Step(gone.at_s + self._random.uniform(0.01, 0.5), self._replace(path))]
        return self._delete(path)

    def _delete(self, path: str) -> list[Step]:
        """Delete a file that was at rest; one in the middle of its upload waits for its doubt.

        A store that may still take effect keeps runs waiting for minutes when its file is gone.
        """
        if len(self.deleted) >= DELETED_MAX or path in self._stale:
            return self._touch(path)
        self.deleted.add(path)
        return [self._step(Delete(path))]

    def _rename(self, path: str) -> list[Step]:
        """Move a file that was at rest, with all that it ever was."""
        if path in self._stale:
            return self._touch(path)
        folder, _, name = path.rpartition("/")
        stem, _, suffix = name.rpartition(".")
        top = folder.partition("/")[0]
        self._renamed += 1
        to = f"{top}/storey{self._random.randint(0, 3)}/{stem}-{self._renamed}.{suffix}"
        self.versions[to] = self.versions.pop(path)
        self._stale.add(to)
        return [self._step(Rename(path, to))]

    def _tampering(self) -> list[Step]:
        if self._random.random() >= TAMPERED_SHARE:
            return []
        there = sorted(self.versions.keys() - self.deleted)
        return [
            self._step(Tamper(path, self._random.choice(list(Harm))))
            for path in self._random.sample(there, self._random.randint(1, 3))
        ]

    def _rewinding(self) -> list[Step]:
        return [self._step(Rewind())] * (self._random.random() < REWOUND_SHARE)

    def _touch(self, path: str) -> list[Step]:
        return [self._step(Touch(path, rewrite=self._random.random() < 0.5))]

    def _slices(self, path: str, *, fresh: bool) -> list[Step]:
        version, count = self._version_of(path), self._random.randint(2, 6)
        start_s = self._random.uniform(0, ROUND_S - count * SLICE_S)
        return [
            Step(start_s + index * SLICE_S, Slice(path, version, index, count, fresh))
            for index in range(count)
        ]

    def _slow_slices(self, path: str) -> list[Step]:
        """Save with long pauses; hidden ones only while the daemon hears of them."""
        version, count = self._version_of(path), self._random.randint(2, 4)
        hidden = self._hides and self._random.random() < 0.5
        fresh = not hidden and self._random.random() < 0.5
        start_s = self._random.uniform(0, ROUND_S / 2)
        return [
            Step(start_s + n * PAUSE_S, Slice(path, version, n, count, fresh, hidden))
            for n in range(count)
        ]

    def _meddling(self, chance: float) -> list[Step]:
        meddles = self._random.random() < chance
        return [self._step(Meddle(self._random.choice(list(FOLDERS))))] * meddles

    def _restore(self, path: str) -> Replace:
        """Go back to the content before the last."""
        self._stale.add(path)
        version = self.versions[path][-2:][0]
        self.versions[path].append(version)
        return Replace(path, version)

    def _replace(self, path: str) -> Replace:
        self.deleted.discard(path)
        return Replace(path, self._version_of(path))

    def _version_of(self, path: str) -> int:
        version = self._next_version
        self._next_version += 1
        self._stale.add(path)
        self.versions.setdefault(path, []).append(version)
        return version

    def _kills(self) -> list[Step]:
        return [
            Step(self._random.uniform(0, ROUND_S), Kill(program))
            for program, chance in {Program.DAEMON: 0.2, Program.LOCALTWIN: 0.1}.items()
            if self._random.random() < chance
        ]

    def _aimed_kills(self) -> list[Step]:
        """Kill in what follows the changes, mostly at a certain moment, which is waited for."""
        kills = []
        for program, chance in {Program.DAEMON: 0.8, Program.LOCALTWIN: 0.5}.items():
            moment = self._random.choice(MOMENTS)
            at_s = self._random.uniform(0, ROUND_S if moment else AFTERMATH_S)
            if self._random.random() < chance:
                kills.append(Step(at_s, Kill(program, moment)))
        return kills

    def _outage(self) -> list[Step]:
        """Take a folder away for a moment; nobody saves there meanwhile."""
        if self._random.random() >= OUTAGE_SHARE:
            return []
        folder, outage = self._random.choice(list(FOLDERS)), self._random.choice(list(Outage))
        began_s = self._random.uniform(0, AFTERMATH_S / 2)
        back_s = began_s + self._random.uniform(0, OUTAGE_S)
        return [Step(began_s, Unplug(folder, outage)), Step(back_s, Plug(folder))]

    def _faults(self) -> list[Step]:
        return [
            self._step(Disturb(self._random.choice(list(Fault)), self._random.randint(0, 12)))
            for _ in range(self._random.randint(0, 3))
        ]

    def _step(self, act: Act) -> Step:
        return Step(self._random.uniform(0, ROUND_S), act)
