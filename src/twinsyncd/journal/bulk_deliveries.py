"""What the last delivery of each export file of bulk connections did, counted in records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, select, true

from ..core.deliveries import LastDelivery, RejectedRow
from ..core.model import ABSENT, ConnectionKey, Digest, FileKey, SourceKey
from . import bulk_tables, tables

_BULK: Final = bulk_tables.bulk_files.c
_FILES: Final = tables.files.c


_COUNTED: Final = frozenset(LastDelivery._fields) - {
    "connection",
    "key",
    "entity",
    "seen",
    "is_missed",
}


def read_deliveries(
    opened: Connection, connections: Iterable[str] = ()
) -> tuple[LastDelivery, ...]:
    """Return the last delivery of each file of these connections, or of all, by their names."""
    names = list(connections)
    same = and_(_FILES.source == _BULK.source, _FILES.path == _BULK.path)
    query = (
        select(
            _BULK.connection, _BULK.source, _BULK.path, _BULK.entity, _BULK.delivery, _FILES.seen
        )
        .select_from(bulk_tables.bulk_files.outerjoin(tables.files, same))
        .where(_BULK.delivery.is_not(None), _BULK.connection.in_(names) if names else true())
        .order_by(_BULK.connection, _BULK.source, _BULK.path)
    )
    rows = opened.execute(query).mappings()
    return tuple(_delivery(row, row["delivery"]) for row in rows if row["delivery"])


def _delivery(row: RowMapping, written: Mapping[str, Any]) -> LastDelivery:
    """Return a delivery; what another version of the program wrote may lack members."""
    counted = {name: value for name, value in written.items() if name in _COUNTED}
    rejected = tuple(RejectedRow(**each) for each in written.get("rejected_rows", ()))
    if "acknowledged" not in written:
        counted["acknowledged"] = written.get("rows", 0) - written.get("rejected", 0)
    return LastDelivery(
        ConnectionKey(row["connection"]),
        FileKey(SourceKey(row["source"]), row["path"]),
        row["entity"],
        Digest(row["seen"] or ABSENT),
        **(counted | {"rejected_rows": rejected}),
    )
