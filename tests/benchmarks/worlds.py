"""Worlds of localtwin to measure with: a city's worth of files, connections and runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, insert

from localtwin.ids import new_guid, pair_id
from localtwin.world.database import Database
from localtwin.world.tables import (
    blobs,
    changesets,
    connections,
    imodels,
    items,
    runs,
    sources,
    tasks,
)
from localtwin.world.world import World

BATCH: Final = 5_000
NOW: Final = "2026-03-01T12:00:00.0000000Z"

Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much there is; half of everything is in one place, the rest is spread."""

    files: int
    imodels: int
    connections: int
    runs: int


@dataclass(frozen=True)
class Filled:
    """A world full of content, and where the most of it is."""

    folder: Path
    itwin_id: str
    root: str
    crowded_folder: str
    some_file: str
    imodel_id: str
    connection_id: str
    run_id: str
    size: Size


def fill(folder: Path, size: Size) -> Filled:
    """Write a world of that size; contents of files are not there, only records of them."""
    world = World(folder)
    user = world.access.user_id(world.credentials.client_id)
    itwin_id = world.credentials.itwin_id
    world.close()
    database = Database(folder / "world.sqlite")
    with database.write() as transaction:
        crowded, files = _store(transaction, itwin_id, user, size)
        imodel_id, connection_ids = _connect(transaction, itwin_id, user, size, files)
        run_id = _run(transaction, imodel_id, connection_ids, size)
    database.close()
    root, crowded_id = (pair_id(itwin_id, guid) for guid in (itwin_id, crowded))
    some_file = pair_id(itwin_id, files[len(files) // 2])
    busiest = connection_ids[0]
    return Filled(folder, itwin_id, root, crowded_id, some_file, imodel_id, busiest, run_id, size)


def _store(transaction: Connection, itwin_id: str, user: str, size: Size) -> tuple[str, list[str]]:
    """Write the files; return the folder with half of them, and all of them."""

    def item(parent: str, kind: str, name: str) -> Row:
        return {
            "guid": new_guid(), "itwin_id": itwin_id, "parent": parent, "kind": kind,
            "name": name, "size_bytes": 1000, "complete": True, "locked": False,
            "created": NOW, "created_by": user, "modified": NOW, "modified_by": user,
        }  # fmt: skip

    folders = [item(itwin_id, "folder", f"area {n:05d}") for n in range(max(2, size.files // 100))]
    _insert(transaction, items, iter(folders))
    crowded, *spread = [str(row["guid"]) for row in folders]
    rows = [
        item(crowded if n % 2 else spread[n % len(spread)], "file", f"sheet {n:06d}.dgn")
        for n in range(size.files)
    ]
    _insert(transaction, items, iter(rows))
    written = (
        {
            "id": row["guid"], "content": row["guid"].replace("-", ""), "size_bytes": 1000,
            "etag": '"0x1"', "content_type": "application/octet-stream",
            "created": NOW, "modified": NOW,
        }
        for row in rows
    )  # fmt: skip
    _insert(transaction, blobs, written)
    return crowded, [str(row["guid"]) for row in rows]


def _connect(
    transaction: Connection, itwin_id: str, user: str, size: Size, files: list[str]
) -> tuple[str, list[str]]:
    """Write iModels and connections; return the iModel with half of them, its own first."""
    made = [
        {
            "id": new_guid(), "itwin_id": itwin_id, "name": f"Bridge {n:04d}", "created": NOW,
            "creator": user,
        }
        for n in range(size.imodels)
    ]  # fmt: skip
    _insert(transaction, imodels, iter(made))
    crowded, *spread = [str(row["id"]) for row in made]
    rows = [
        {
            "id": pair_id(new_guid(), new_guid()), "seq": n + 1, "kind": "storage",
            "imodel_id": spread[n % len(spread)] if n % 2 else crowded, "itwin_id": itwin_id,
            "display_name": f"Office {n}", "authentication_type": "Service", "created": NOW,
        }
        for n in range(size.connections)
    ]  # fmt: skip
    _insert(transaction, connections, iter(rows))
    in_connection = (
        {
            "id": pair_id(new_guid(), new_guid()), "seq": n + 1, "connection_id": row["id"],
            "imodel_id": row["imodel_id"], "file_id": pair_id(itwin_id, file),
            "connector_type": "MSTN",
        }
        for n, file in enumerate(files)
        for row in [rows[0 if n % 2 else n % len(rows)]]
    )  # fmt: skip
    _insert(transaction, sources, in_connection)
    return crowded, [str(row["id"]) for row in rows]


def _run(transaction: Connection, imodel_id: str, connection_ids: list[str], size: Size) -> str:
    """Write the runs, half of them of the first connection; return one of those."""
    rows = [
        {
            "id": new_guid(), "seq": n + 1, "imodel_id": imodel_id, "started": NOW, "ended": NOW,
            "connection_id": connection_ids[n % len(connection_ids) if n % 2 else 0],
            "phase": "MasterFile", "state": "Completed", "result": "Success", "attempts": 1,
        }
        for n in range(size.runs)
    ]  # fmt: skip
    _insert(transaction, runs, iter(rows))
    done = (
        {
            "id": new_guid(), "run_id": row["id"], "position": n, "job_id": row["id"],
            "connector_type": "MSTN", "file_id": row["id"], "name": f"sheet {n}.dgn",
            "action": "bridge", "state": "Completed", "result": "Success", "started": NOW,
            "ended": NOW,
        }
        for row in rows
        for n in range(3)
    )  # fmt: skip
    _insert(transaction, tasks, done)
    pushed = (
        {
            "imodel_id": imodel_id, "index": n + 1, "id": f"{n + 1:040x}", "parent_id": f"{n:040x}",
            "creator": row["id"], "pushed": NOW, "containing_changes": 0, "size_bytes": 100,
            "run_id": row["id"], "changed_files": ["sheet.dgn"], "inserted": 1, "updated": 0,
            "deleted": 0,
        }
        for n, row in enumerate(rows)
    )  # fmt: skip
    _insert(transaction, changesets, pushed)
    return next(str(row["id"]) for row in rows if row["connection_id"] == connection_ids[0])


def _insert(transaction: Connection, table: Table, rows: Iterator[Row]) -> None:
    while batch := list(islice(rows, BATCH)):
        transaction.execute(insert(table), batch)
