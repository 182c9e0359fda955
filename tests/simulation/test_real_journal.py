"""Seeded worlds over the real journals: they keep the rules that their double only claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from twinsyncd.core.decision import Decision, SavedState
from twinsyncd.core.model import FileKey, FileRow, SourceKey
from twinsyncd.journal.database import open_database
from twinsyncd.journal.location import JournalLocation, Server
from twinsyncd.journal.writer import Journal

from .journal import VirtualJournal
from .world import World

SEEDS = range(7000, 7012)
"""Every commit costs a real transaction, so these are few; they crash some hundred times."""

SEEDS_ON_SERVER = range(7000, 7001)


@dataclass
class BothJournals(VirtualJournal):
    """Writes to the double and to a real journal; the machine reads the real one."""

    where: JournalLocation = field(default_factory=Path)
    real: Journal = field(init=False)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.real = Journal(open_database(self.where))

    def saved_state(self) -> SavedState:
        """Open the file anew, as a process that starts does."""
        self.restarts += 1
        self.real.close()
        self.real = Journal(open_database(self.where))
        found, expected = self.real.saved_state(), super().saved_state()
        assert (found.lanes, found.connections) == (expected.lanes, expected.connections)
        assert found.sources == expected.sources
        for key, lengths_s in expected.lengths_s.items():
            if key in expected.connections:
                assert list(found.lengths_s[key]) == pytest.approx(list(lengths_s))
        return found

    def get(self, key: FileKey) -> FileRow | None:
        row = self.real.get(key)
        assert row == super().get(key)
        return row

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> dict[str, FileRow]:
        rows = self.real.get_many(source, paths)
        assert rows == super().get_many(source, paths)
        return rows

    def hashed_before(
        self, sources: Iterable[SourceKey], before_s: float, limit: int
    ) -> list[FileRow]:
        rows = self.real.hashed_before(sources, before_s, limit)
        assert set(rows) == set(super().hashed_before(sources, before_s, limit))
        return rows

    def active(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        rows = list(self.real.active(sources))
        assert set(rows) == set(super().active(sources))
        return rows

    def every(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        rows = list(self.real.every(sources))
        assert set(rows) == set(super().every(sources))
        return rows

    def commit(self, decision: Decision) -> None:
        super().commit(decision)
        if decision.is_durable:
            self.real.commit(decision)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_over_the_real_journal_keeps_its_promises(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The double could hide a column that is lost or a transaction that is cut in half."""
    live(seed, tmp_path_factory.mktemp("journal") / "journal.sqlite")


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("seed", SEEDS_ON_SERVER)
def test_a_world_over_a_journal_on_a_server_keeps_its_promises(seed: int, server: Server) -> None:
    """The same statements mean something else to another database."""
    live(seed, server)


def live(seed: int, where: JournalLocation) -> None:
    """Live one world whose journal is there."""
    journal = BothJournals(where=where)
    world = World(seed, journal=journal)

    world.run()

    assert journal.restarts > 0
    sources = {key.source for key in journal.files}
    assert set(journal.real.every(sources)) == set(journal.files.values())
    journal.real.close()
