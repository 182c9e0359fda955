# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What the configuration file says in a world, and how people edit it between two lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from twinsyncd.core import facts
from twinsyncd.core.match import Kind
from twinsyncd.core.model import FileKey, LaneRow, OnDelete, Phase
from twinsyncd.core.setup import Connection, Guard, Setup, Source

from .chances import Chances
from .placing import Placing
from .strangers import phase_of

SCAN_S = 60.0
REHASH_S = 300.0  # every file is read again so often, in worlds with an annex
SCAN_WATCHED_S = 50_000.0  # never, as far as this world is concerned
GUARDS = (Guard(), Guard(), Guard(share=0.5), Guard(least=4))  # against mass deletion
EDITED = 0.2  # worlds in which a connection is taken out of the file now and then
TAKEN_OUT = "two"
EXCLUDED = "deep/"
STAGING_SEEDS = 8  # the last digit of seeds in whose worlds content is staged during runs
SHARED = "imodel"  # whose other connection stays


class Office:
    """The file of one world; drawn by itself, so that other troubles do not depend on it."""

    def __init__(self, seed: int, chances: Chances, *, scripted: bool) -> None:
        """A `scripted` world's file says what is usual and stays as it is."""
        self._rnd = Random(f"file {seed}")  # noqa: S311 - a world must be replayable
        self.guard = Guard() if scripted else self._rnd.choice(GUARDS)
        self._edited = not scripted and self._rnd.random() < EDITED
        self._excluded = ""  # what the paths begin with that are left out
        self._taken_out = False
        self.whole = self.setup = _setup(chances, self.guard)
        if not scripted and seed % 10 == STAGING_SEEDS:
            self._stage_all()
        self.placing = Placing(seed, scripted=scripted)
        self.whole = self.setup = self.placing.in_setup(self.whole)

    def _stage_all(self) -> None:
        self.whole = self.setup = replace(
            self.whole,
            connections=tuple(
                replace(each, stage_least_bytes=0) for each in self.whole.connections
            ),
        )

    def set_policies(self, policies: Mapping[str, OnDelete]) -> None:
        """Say for some connections what becomes of a file that is gone."""
        keep = OnDelete.KEEP
        self.whole = self.setup = replace(
            self.whole,
            sources=tuple(
                replace(each, on_delete=policies.get(each.connection, keep))
                for each in self.whole.sources
            ),
        )

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is left out."""
        return not (self._taken_out or self._excluded)

    def kind_of(self, key: FileKey) -> Kind | None:
        """Return what a file is to its connection."""
        if self._excluded and key.path.startswith(self._excluded):
            return None
        return kind_of(key)

    def edit(self, lane: LaneRow | None) -> None:
        """Leave a connection or a folder out, or put it back.

        A connection stays while the answer to its start may be lost.
        """
        if not self._edited:
            return
        if phase_of(lane) is not Phase.STARTING and self._rnd.random() < 0.5:
            self._taken_out = not self._taken_out
        if self._rnd.random() < 0.5:
            self._excluded = "" if self._excluded else EXCLUDED
        self.setup = _saying(self.whole, self._excluded, taken_out=self._taken_out)

    def mend(self) -> None:
        """Put everything back."""
        self.setup, self._taken_out, self._excluded = self.whole, False, ""

    def concerns(self, fact: facts.Fact) -> bool:
        """Return whether the fact is about anything in the file; nobody watches other folders."""
        match fact:
            case facts.Touched(key) if self.kind_of(key) is None:
                return False
            case facts.Touched(key):
                source = key.source
            case facts.HintsLost(source) | facts.HintsDegraded(source):
                pass
            case _:
                return True
        return any(each.key == source for each in self.setup.sources)


def kind_of(key: FileKey) -> Kind:
    """Return what a file is where nothing is left out."""
    return "reference" if key.path.startswith("xref/") else "source"


def _setup(chances: Chances, guard: Guard) -> Setup:
    every_s = SCAN_WATCHED_S if chances.watched else SCAN_S
    names = {"one": SHARED, "two": SHARED, "three": "annex"}
    sources = {"one": "one/cad", "two": "two/bim", "three": "three/gis"}
    if not chances.annex:
        del names["three"], sources["three"]
    return Setup(
        connections=tuple(
            Connection(name, lane, batch_quiet_s=5.0, longest_wait_s=120.0)
            for name, lane in names.items()
        ),
        sources=tuple(
            Source(key, name, every_s, 2.0, guard=guard) for name, key in sources.items()
        ),
        uploads_max=3,
        rehash_every_s=REHASH_S if chances.annex else 0.0,
        compare_every_s=0.0,
    )


def _saying(whole: Setup, excluded: str, *, taken_out: bool) -> Setup:
    """Return the setup with other patterns, perhaps without the connection that is taken out."""
    gone = TAKEN_OUT if taken_out else ""
    return replace(
        whole,
        connections=tuple(each for each in whole.connections if each.key != gone),
        sources=tuple(
            replace(each, patterns=excluded) for each in whole.sources if each.connection != gone
        ),
    )
