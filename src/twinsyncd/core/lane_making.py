"""Builds the lanes of a machine from the configuration and what the journal remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from .batches import Batches
from .comparison import Comparisons
from .decision import SavedState
from .drive import Drive
from .lane import Lane
from .lane_state import LaneState
from .late_stores import LateStores
from .ledger import Ledger
from .leftovers import Leftovers
from .match import Kind
from .model import ConnectionKey, FileKey, LaneKey, LaneRow, Now, SourceKey
from .moves import Moves
from .placements import Placements
from .remotes import Remotes
from .removals import Removals
from .roots import Roots
from .run_ends import RunEnds
from .runs import Runs
from .setup import Connection, Setup
from .stages import Stages
from .stores import Stores

ALIKE: Final = "another file has its content; it is looked whether it was renamed"
"""Why files are looked at that nobody has touched, as a person is shown."""


@dataclass(slots=True)
class LaneMaker:
    """What all lanes share: the journal's rows, the drive, and what a file is used for."""

    setup: Setup
    saved_state: SavedState
    ledger: Ledger
    remotes: Remotes
    drive: Drive
    kind_of: Callable[[FileKey], Kind | None]
    jitter: Callable[[], float]
    lengths_s: dict[ConnectionKey, list[float]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the remembered lengths of runs, to which new ones are added."""
        self.lengths_s = {key: list(known) for key, known in self.saved_state.lengths_s.items()}

    def make_all(self, now: Now) -> dict[LaneKey, Lane]:
        """Return the lanes of all connections, in the order of the configuration."""
        by_lane: dict[LaneKey, list[Connection]] = {}
        for connection in self.setup.connections:
            by_lane.setdefault(connection.lane, []).append(connection)
        return {key: self.make(key, tuple(each), now) for key, each in by_lane.items()}

    def make(self, key: LaneKey, connections: tuple[Connection, ...], now: Now) -> Lane:
        """Return one lane, which goes on where an earlier process left it."""
        state = LaneState(
            self.saved_state.lanes.get(key, LaneRow(key)),
            self.jitter,
            min(connection.poll_max_s for connection in connections),
            events=self.ledger.events,
            home=connections[0].key,
        )
        state.resume(now)
        names = [connection.key for connection in connections]
        moves = self._moves()
        roots = Roots(connections, self.ledger, self.remotes, self._has_unsettled)
        waits, most = self.drive.must_wait, self.setup.uploads_max
        stages = Stages(state, self.ledger, waits, most)
        stores = Stores(state, self.ledger, waits, moves, roots, stages.busy, most)
        stores.load(names, now)
        naming = frozenset(each.key for each in connections if each.names_files)
        every_s = self.setup.compare_every_s
        leftovers = Leftovers(self.ledger, self._is_listed)
        comparisons = Comparisons(
            state, self.ledger, self.remotes, every_s, leftovers, self._is_left_out, naming
        )
        comparisons.resume(names, now)
        removals = Removals(state, self.ledger, self.remotes, waits, stores.is_due)
        runs = Runs(
            state,
            self.ledger,
            stores,
            removals,
            self.remotes,
            comparisons,
            lambda key: self.kind_of(key) == "reference",
            RunEnds(state, self.ledger, stores, self.lengths_s),
            roots,
            LateStores(names, self.ledger, stores, self.remotes),
            naming,
        )
        runs.resume(names, now)
        return Lane(
            state,
            connections,
            self.ledger,
            moves,
            Placements(state, self.ledger, most),
            stages,
            stores,
            runs,
            comparisons,
            removals,
            self._has_unsettled,
            Batches(self._awaits_more),
        )

    def _moves(self) -> Moves:
        drive = self.drive
        look_again = partial(drive.look_again, why=ALIKE)
        looks = (drive.watched, drive.settler, look_again)
        return Moves(self.ledger, *looks, self._is_alike)

    def _is_alike(self, one: FileKey, other: FileKey) -> bool:
        """Return whether one file can be another that was renamed: read alike, used alike."""
        suffixes = {key.path.rpartition(".")[2].casefold() for key in (one, other)}
        return len(suffixes) == 1 and self.kind_of(one) == self.kind_of(other)

    def _is_left_out(self, key: FileKey) -> bool:
        return self.kind_of(key) is None

    def _is_listed(self, source: SourceKey) -> bool:
        """Return whether all that the source's drive holds is known."""
        watched = self.drive.watched[source]
        is_whole = watched.scanned and not (watched.row.offline or watched.row.blind_count)
        return is_whole and not watched.missing and not self.drive.settler.unsettled(source)

    def _has_unsettled(self, connection: ConnectionKey) -> bool:
        return any(map(self._may_bring_more, self.ledger.sources_of(connection)))

    def _awaits_more(self, connection: ConnectionKey) -> bool:
        """Return whether changes may follow soon: not from a share that does not answer (P14)."""
        sources = self.ledger.sources_of(connection)
        answering = (key for key in sources if not self.drive.watched[key].slow)
        return any(map(self._may_bring_more, answering))

    def _may_bring_more(self, source: SourceKey) -> bool:
        """Return whether more changes may follow: not scanned yet, or files still unsettled."""
        return not self.drive.watched[source].scanned or self.drive.settler.unsettled(source) > 0
