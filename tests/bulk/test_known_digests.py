"""The compact copy of the digests is what the records say, whatever was done to them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update

from twinsyncd.journal import bulk_tables
from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.targets.bulk.known_digests import PIECES_MAX, known_digests

NAMES = (f"connection {number}" for number in count())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One journal for all examples; each has a connection of its own."""
    made = open_database(tmp_path_factory.mktemp("known") / "journal.sqlite")
    yield made
    made.dispose()


def _guid(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _digest(number: int) -> bytes:
    return number.to_bytes(8, "little")


_GUIDS = st.lists(st.integers(0, 5), unique=True, max_size=4)
_ACT: st.SearchStrategy[tuple[str, list[int], int]] = st.one_of(
    st.tuples(st.sampled_from(["send", "put", "put_anew", "replace"]), _GUIDS, st.integers(1, 3)),
    st.tuples(st.just("doubt"), _GUIDS, st.just(0)),
    st.tuples(st.sampled_from(["doubt_all", "known"]), st.just([]), st.just(0)),
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_ACT, max_size=12))
def test_after_any_changes_the_copy_has_the_digests_of_the_records(
    engine: Engine, acts: list[tuple[str, list[int], int]]
) -> None:
    """A digest too many hides a changed row for ever; one too few is sent again each time."""
    name, delivered = next(NAMES), DeliveredRecords(engine)
    for act, numbers, digest in acts:
        taken = [(_guid(number), _digest(digest)) for number in numbers]
        match act:
            case "send":
                delivered.doubt(name, "pieces", [guid for guid, _ in taken])
                delivered.put(name, "pieces", taken)
            case "put":
                delivered.put(name, "pieces", taken)
            case "put_anew":
                delivered.put_anew(name, "pieces", taken)
            case "replace":
                delivered.replace(name, "pieces", taken)
            case "doubt":
                delivered.doubt(name, "pieces", [guid for guid, _ in taken])
            case "doubt_all":
                delivered.doubt_all(name, "pieces")
            case _:
                known_digests(delivered, name, "pieces")

    known = bytes(known_digests(delivered, name, "pieces"))

    records = b"".join(delivered.every_digest(name, "pieces"))
    assert _split(known) == _split(records)
    assert _split(bytes(known_digests(delivered, name, "pieces"))) == _split(records)


def _split(digests: bytes) -> list[bytes]:
    return sorted(digests[at : at + 8] for at in range(0, len(digests), 8))


def test_many_small_pieces_become_one(engine: Engine) -> None:
    """A year of hourly changes would be nine thousand of them, read one by one."""
    name, delivered = next(NAMES), DeliveredRecords(engine)
    known_digests(delivered, name, "pieces")
    for number in range(PIECES_MAX + 1):
        delivered.put(name, "pieces", [(_guid(number), _digest(number))])

    before = _pieces(engine, name)
    known = known_digests(delivered, name, "pieces")

    assert (before, _pieces(engine, name)) == (PIECES_MAX + 2, 1)
    assert len(known) == len(known_digests(delivered, name, "pieces")) == PIECES_MAX + 1


def _pieces(engine: Engine, name: str) -> int:
    table = bulk_tables.delivered_digests
    query = select(func.count()).select_from(table).where(table.c.connection == name)
    with engine.connect() as opened:
        return opened.execute(query).scalar_one()


def test_a_copy_that_cannot_be_right_is_written_anew(engine: Engine) -> None:
    """The records are the truth; a copy that removes what never came is not theirs."""
    name, delivered = next(NAMES), DeliveredRecords(engine)
    known_digests(delivered, name, "pieces")
    delivered.put(name, "pieces", [(_guid(1), _digest(1)), (_guid(2), _digest(2))])
    delivered.doubt(name, "pieces", [_guid(2)])
    table = bulk_tables.delivered_digests
    with engine.begin() as opened:
        other = update(table).where(table.c.connection == name, table.c.is_removal)
        opened.execute(other.values(digests=_digest(9)))

    known = bytes(known_digests(delivered, name, "pieces"))

    assert known == _digest(1) == bytes(known_digests(delivered, name, "pieces"))


def test_what_came_meanwhile_is_not_lost(engine: Engine) -> None:
    """A copy written from what was read before a change would lack that change."""
    name, delivered = next(NAMES), DeliveredRecords(engine)
    known_digests(delivered, name, "pieces")
    before = delivered.compact_digests(name, "pieces")
    assert before is not None
    delivered.put(name, "pieces", [(_guid(1), _digest(1))])

    delivered.keep_digests(name, "pieces", b"", before.last)

    assert bytes(known_digests(delivered, name, "pieces")) == _digest(1)
