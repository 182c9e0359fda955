"""The digests of acknowledged records, read many at once."""

from __future__ import annotations

from pathlib import Path

from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords

FEW_MORE_THAN_ONE_READ = 20_003


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big")


def test_every_digest_of_a_connections_kind_is_read_once(tmp_path: Path) -> None:
    """One that is left out is sent again each time; one of another kind hides a changed row."""
    engine = open_database(tmp_path / "journal.sqlite")
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
