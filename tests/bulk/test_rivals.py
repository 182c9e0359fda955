"""Records that two export files have: what the service gets, and who is told what."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from bulk_scene import CONNECTION, Factory, factory, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from twinsyncd.core.commands import Place
from twinsyncd.core.facts import Stored
from twinsyncd.core.model import ABSENT, Digest, FileKey, FileRow, SourceKey
from twinsyncd.errors import CloudError
from twinsyncd.journal import tables
from twinsyncd.journal.rows import from_file
from twinsyncd.journal.upserts import insert_into

A, B, C = "pieces.c.csv", "pieces.b.csv", "pieces.a.csv"  # A wins, then B


class Office:
    """A folder of exports of pieces, and a daemon that delivers what asks for it."""

    def __init__(self, plant: Factory) -> None:
        self.plant = plant
        self.target = plant.connection()
        self.files: dict[str, str] = {}
        self.stored: list[Stored] = []
        self.refused: dict[str, str] = {}  # by path: why

    def export(self, path: str, data: str) -> None:
        """Write a file and deliver it, and whatever is to be sent again after it."""
        self.files[path] = data
        self._see(path, Digest(f"of {len(data)}"))
        self._deliver(path)
        self._follow()

    def delete(self, path: str) -> None:
        """Let a file be gone from the drive."""
        del self.files[path]
        self.refused.pop(path, None)
        (self.plant.drive / path).unlink()
        self._see(path, ABSENT)
        self._follow()

    def come_back(self, path: str, data: str) -> None:
        """Let a file be there again with a content that was delivered before."""
        self.files[path] = data
        (self.plant.drive / path).write_text(data)
        self._see(path, Digest(f"of {len(data)}"))
        self._follow()

    def rename(self, before: str, path: str) -> None:
        """Let a file have another name, as it was delivered."""
        (known,) = [each for each in self.stored if each.key.path == before]
        (self.plant.drive / before).rename(self.plant.drive / path)
        data = self.files[path] = self.files.pop(before)
        key = FileKey(known.key.source, path)
        self.target.place(Place(key, CONNECTION, known.storage_id))
        self._see(before, ABSENT)
        self._see(path, Digest(f"of {len(data)}"))
        self._follow()

    def begin(self, *paths: str) -> None:
        """Let files of an earlier office be gone."""
        for path in paths:
            self._see(path, ABSENT)
        self.target.ask_again()
        self.plant.asked.clear()

    def _follow(self) -> None:
        for _ in range(9):
            self.target.ask_again()
            if not self.plant.asked:
                return
            asked = {key.path for key in self.plant.asked}
            self.plant.asked.clear()
            for path in sorted(asked):
                self._deliver(path)
        raise AssertionError("files are sent again for ever")

    def _deliver(self, path: str) -> None:
        self.refused.pop(path, None)
        try:
            self.stored.append(self.plant.store(path, self.files[path], self.target))
        except CloudError as exc:
            self.refused[path] = exc.failure.message
        seen = Digest(f"of {len(self.files[path])}")
        self._see(path, seen, aside=self.refused.get(path, ""))

    def _see(self, path: str, digest: Digest, aside: str = "") -> None:
        key = FileKey(SourceKey("Factory/exports"), path)
        row = from_file(FileRow(key, seen=digest, stored=digest, synced=digest, aside=aside))
        with self.plant.engine.begin() as opened:
            mine = (tables.files.c.source == key.source, tables.files.c.path == path)
            opened.execute(delete(tables.files).where(*mine))
            opened.execute(insert_into(self.plant.engine, tables.files).values(row))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with project P and component C."""
    with factory(tmp_path) as plant:
        yield Office(plant.with_parents())


@pytest.mark.parametrize("order", [(A, B), (B, A)])
def test_a_record_with_two_contents_is_named_with_both(
    office: Office, order: tuple[str, str]
) -> None:
    """Else each save of one file undoes what the other one brought, and nobody notices."""
    data = {A: table(x=1, y=2), B: table(z=0, x=5)}
    for path in order:
        office.export(path, data[path])

    assert office.plant.lengths() == {"x": 1, "y": 2, "z": 0}
    assert list(office.refused) == [B]
    for words in (B, "row 3, column length", A, "row 2,", "outer_length 1, here it is 5"):
        assert words in office.refused[B]
    (delivery,) = [each for each in office.plant.files.deliveries(CONNECTION) if each.rejected]
    assert (delivery.key.path, delivery.rows, delivery.acknowledged) == (B, 2, 1)
    assert (delivery.rejected_rows[0].row, delivery.rejected_rows[0].column) == (3, "length")


@pytest.mark.parametrize(
    ("path", "data", "held"),
    [
        (A, table(x=5), {"x": 5}),  # equal now
        (A, table(y=2), {"x": 5, "y": 2}),
        (B, table(x=1), {"x": 1}),
        (B, table(), {"x": 1}),
        (A, "", {"x": 5}),
        (B, "", {"x": 1}),
    ],
)
def test_a_conflict_ends_when_either_file_is_mended(
    office: Office, path: str, data: str, held: dict[str, float]
) -> None:
    """Whoever mends it does not know which of the files the program likes."""
    office.export(A, table(x=1))
    office.export(B, table(x=5))
    assert list(office.refused) == [B]

    if data:
        office.export(path, data)
    else:
        office.delete(path)

    assert office.refused == {}
    assert office.plant.lengths() == held


def test_equal_records_are_no_conflict_and_are_sent_once(office: Office) -> None:
    """Also where the columns differ, as in a workbook and a text file."""
    office.export(A, table(x=1, y=2))
    office.export("pieces.0.ndjson", _ndjson(x=1, y=2))
    requests = len(office.plant.requests)
    office.export("pieces.0.ndjson", _ndjson(y=2, x=1))

    assert office.refused == {}
    assert (requests, len(office.plant.requests)) == (1, 1)

    office.export(A, table(x=3, y=2))

    assert list(office.refused) == ["pieces.0.ndjson"], "it says 1 still"
    assert "row 2, column length" in office.refused["pieces.0.ndjson"]

    office.delete(A)

    assert office.refused == {}
    assert office.plant.lengths() == {"x": 1, "y": 2}


def test_the_newest_of_dated_exports_goes_in(office: Office) -> None:
    """A factory leaves each day's export in the folder; the first day's would win for ever."""
    days = ["pieces.2026-11-09.csv", "pieces.2026-11-10.csv", "pieces.2026-11-10-2.csv"]
    for day, length in zip(days, (1, 2, 3), strict=True):
        office.export(day, table(x=length))

    assert office.plant.lengths() == {"x": 3}
    assert sorted(office.refused) == sorted(days[:2])


def test_a_file_that_comes_back_as_it_was_is_compared_again(office: Office) -> None:
    """What it brought may be in the service no more."""
    office.export(A, table(x=1))
    office.delete(A)
    office.export(B, table(x=5))
    assert (office.refused, office.plant.lengths()) == ({}, {"x": 5})

    office.come_back(A, table(x=1))

    assert (list(office.refused), office.plant.lengths()) == ([B], {"x": 1})


def test_a_renamed_file_keeps_its_conflict(office: Office) -> None:
    """Its name decides who goes first, so both are looked at again."""
    office.export(A, table(x=1))
    office.export(B, table(x=5))

    office.rename(A, C)

    assert list(office.refused) == [C]
    assert office.plant.lengths() == {"x": 5}


_PARTS = st.dictionaries(st.sampled_from("xy"), st.integers(1, 3))
_ACTS = st.lists(st.tuples(st.sampled_from([A, B, C]), st.none() | _PARTS), min_size=2, max_size=8)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """One factory for all examples; each has parts of its own."""
    with factory(tmp_path_factory.mktemp("rivals")) as plant:
        yield plant.with_parents()


_numbers = count()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=_ACTS)
def test_the_last_file_by_name_decides_whatever_happened(
    shared: Factory, acts: list[tuple[str, dict[str, int] | None]]
) -> None:
    """What the service has follows from the drive, and not from who was saved last."""
    number, office = next(_numbers), Office(shared)
    office.begin(A, B, C)
    now: dict[str, dict[str, int]] = {}
    for path, parts in acts:
        if parts is not None:
            now[path] = {f"{part}{number}": length for part, length in parts.items()}
            office.export(path, table(**now[path]))
        elif now.pop(path, None) is not None:
            office.delete(path)

    wanted: dict[str, float] = {}
    losing = set()
    for path in sorted(now, reverse=True):
        for part, length in now[path].items():
            if wanted.setdefault(part, length) != length:
                losing.add(path)
    held = {part: shared.lengths()[part] for part in wanted}
    assert held == wanted
    assert set(office.refused) == losing


def _ndjson(**lengths: float) -> str:
    rows = [
        f'{{"project": "P", "component": "C", "part": "{part}", "length": {length}}}'
        for part, length in lengths.items()
    ]
    return "\n".join(rows) + "\n"
