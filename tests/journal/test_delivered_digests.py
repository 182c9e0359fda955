"""The digests of acknowledged records, read many at once."""

from __future__ import annotations

from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.journal.location import JournalLocation

FEW_MORE_THAN_ONE_READ = 20_003


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big")


def test_every_digest_of_a_connections_kind_is_read_once(where: JournalLocation) -> None:
    """One that is left out is sent again each time; one of another kind hides a changed row."""
    engine = open_database(where)
    delivered = DeliveredRecords(engine)
    numbers = range(FEW_MORE_THAN_ONE_READ)
    taken = [(_number(each * 7919 % 100_003) * 2, _number(each)) for each in numbers]
    delivered.put("Factory", "pieces", taken)
    delivered.put("Factory", "articles", [(_number(5) * 2, b"articles")])
    delivered.put("Other", "pieces", [(_number(5) * 2, b"another.")])

    found = b"".join(delivered.every_digest("Factory", "pieces"))
    none = list(delivered.every_digest("Factory", "projects"))
    engine.dispose()

    assert sorted(found[at : at + 8] for at in range(0, len(found), 8)) == [
        _number(each) for each in numbers
    ]
    assert none == []


def test_the_compact_copy_follows_the_records_in_every_database(where: JournalLocation) -> None:
    """What one database returns of a deletion or a conflict, the other may not."""
    engine = open_database(where)
    delivered, own = DeliveredRecords(engine), ("Factory", "pieces")
    delivered.keep_digests(*own, b"", -1)
    delivered.put(*own, [(_number(each) * 2, _number(each)) for each in range(4)])
    delivered.doubt(*own, [_number(1) * 2, _number(3) * 2])
    delivered.put(*own, [(_number(1) * 2, _number(8))])

    found = delivered.compact_digests(*own)
    delivered.put(*own, [(_number(1) * 2, _number(9))])  # known already, so how it differs is not
    dropped = delivered.compact_digests(*own)
    records = b"".join(delivered.every_digest(*own))
    engine.dispose()

    assert found is not None
    assert b"".join(found.added) == b"".join(_number(each) for each in (0, 1, 2, 3, 8))
    assert b"".join(found.removed) == _number(1) + _number(3)
    assert dropped is None
    assert records == _number(0) + _number(9) + _number(2)
