"""The records of companies, inserted or updated by GUID, many at once, all or none.

Source: Ra Factory, "Synchronization API Overview" (upsert by GUID within the company). The
service's own code also deletes what a request leaves out; that is `snapshot`, off by default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.sqlite import insert

from localtwin.errors import Conflict, Invalid
from localtwin.ids import new_guid
from localtwin.world.bulk.accounts import Member
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.tables import bulk_records

PIECES_MAX = 1000
PARENTS = {
    "projects": (),
    "components": ("project_guid",),
    "assemblies": ("project_guid", "component_guid"),
    "pieces": ("project_guid", "component_guid", "assembly_guid"),
    "articles": ("project_guid", "component_guid"),
}
"""The kinds of records in order of dependency, and the fields that name their parents."""
_KIND_OF = {
    "project_guid": "projects",
    "component_guid": "components",
    "assembly_guid": "assemblies",
}
_ONE_QUERY = 500  # values in one IN; far below SQLite's limit

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How many records a request made, and how many it changed."""

    inserted: int
    updated: int


class Records:
    """Writes and reads the records; `snapshot` makes a request delete what it leaves out."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.snapshot = False

    def write(self, caller: Member, entity: str, items: Sequence[Fields]) -> SyncResult:
        """Insert or update `items`, all or none; each names its company_guid, GUIDs in lower case.

        Raises Forbidden (a company that is not the caller's), Invalid (too many pieces, a parent
        that is missing or does not fit), Conflict (a GUID twice).
        """
        for item in items:
            caller.require_company(item["company_guid"])
        if entity == "pieces" and len(items) > PIECES_MAX:
            raise Invalid("BadRequest", f"Maximum batch size is {PIECES_MAX} pieces")
        _require_unique(items)
        rows = [_row(entity, item, stamp(self._clock())) for item in items]
        inserted = 0
        with self._database.write() as connection:
            for company in {row["company_guid"] for row in rows} or {caller.company_guid}:
                mine = [row for row in rows if row["company_guid"] == company]
                _require_parents(connection, company, entity, mine)
                inserted += _put(connection, company, entity, mine)
                if self.snapshot:
                    kept = {row["guid"] for row in mine}
                    _delete_others(connection, company, entity, kept, stamp(self._clock()))
        return SyncResult(inserted, len(rows) - inserted)

    def every(
        self, company_guid: str, entity: str, *, deleted: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield the company's records in order of their GUIDs; active ones, or deleted ones."""
        table = bulk_records.c
        query = select(bulk_records).where(
            table.company_guid == company_guid,
            table.entity == entity,
            table.deleted.is_not(None) if deleted else table.deleted.is_(None),
        )
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(table.guid)):
                yield _shown(row)


def _require_unique(items: Sequence[Fields]) -> None:
    counted = Counter(item["guid"] for item in items if item.get("guid"))
    twice = [guid for guid, times in counted.items() if times > 1]
    if twice:
        raise Conflict("Conflict", f"Duplicate GUID in payload: {twice[0]}")


def _row(entity: str, item: Fields, now: str) -> dict[str, Any]:
    own = {"guid", "company_guid", "deleted_at", *_KIND_OF}
    parents = {name: item.get(name) for name in _KIND_OF}
    if entity == "projects":
        parents["project_guid"] = None
    return {
        "company_guid": item["company_guid"],
        "entity": entity,
        "guid": item.get("guid") or new_guid(),
        **parents,
        "fields": {name: value for name, value in item.items() if name not in own},
        "created": now,
        "updated": now,
        "deleted": item.get("deleted_at"),
    }


def _shown(row: Row[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = row.fields
    shown = {"guid": row.guid, "company_guid": row.company_guid}
    parents = {name: getattr(row, name) for name in PARENTS[row.entity]}
    return shown | {name: value for name, value in parents.items() if value} | fields


def _require_parents(
    connection: Connection, company: str, entity: str, rows: Sequence[Fields]
) -> None:
    """Raise Invalid unless each row's parents are active and belong together."""
    for name in PARENTS[entity]:
        known = _active(connection, company, _KIND_OF[name], {row[name] for row in rows} - {None})
        for row in rows:
            guid = row[name]
            if guid is None:
                continue
            parent = known.get(guid)
            if parent is None:
                raise Invalid("BadRequest", f"{name} {guid} not found (record {row['guid']})")
            for above in PARENTS[_KIND_OF[name]]:
                if getattr(parent, above) != row[above]:
                    text = f"{name} {guid} does not belong to {above} {row[above]}"
                    raise Invalid("BadRequest", f"{text} (record {row['guid']})")


def _active(connection: Connection, company: str, entity: str, guids: set[str]) -> dict[str, Any]:
    found = _existing(connection, company, entity, sorted(guids))
    return {guid: row for guid, row in found.items() if row.deleted is None}


def _existing(
    connection: Connection, company: str, entity: str, guids: Sequence[str]
) -> dict[str, Any]:
    table = bulk_records.c
    columns = (table.guid, table.project_guid, table.component_guid, table.deleted)
    of_kind = (table.company_guid == company, table.entity == entity)
    found: dict[str, Any] = {}
    for first in range(0, len(guids), _ONE_QUERY):
        some = guids[first : first + _ONE_QUERY]
        for row in connection.execute(select(*columns).where(*of_kind, table.guid.in_(some))):
            found[str(row.guid)] = row
    return found


def _put(connection: Connection, company: str, entity: str, rows: Sequence[Fields]) -> int:
    """Write the rows and return how many of them are new."""
    if not rows:
        return 0
    known = _existing(connection, company, entity, [row["guid"] for row in rows])
    statement = insert(bulk_records)
    kept = {"company_guid", "entity", "guid", "created"}
    changes = {c.name: statement.excluded[c.name] for c in bulk_records.c if c.name not in kept}
    keys = ["company_guid", "entity", "guid"]
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows)
    )
    return len(rows) - len(known)


def _delete_others(
    connection: Connection, company: str, entity: str, kept: set[str], now: str
) -> None:
    """Delete the company's other records of the kind, and what lies below them."""
    table = bulk_records.c
    active = select(table.guid).where(
        table.company_guid == company, table.entity == entity, table.deleted.is_(None)
    )
    gone = [guid for guid in connection.execute(active).scalars() if guid not in kept]
    below = next((name for name, kind in _KIND_OF.items() if kind == entity), None)
    for first in range(0, len(gone), _ONE_QUERY):
        some = gone[first : first + _ONE_QUERY]
        own = (table.entity == entity) & table.guid.in_(some)
        meant = own if below is None else own | table[below].in_(some)
        connection.execute(
            update(bulk_records)
            .where(table.company_guid == company, table.deleted.is_(None), meant)
            .values(deleted=now)
        )
