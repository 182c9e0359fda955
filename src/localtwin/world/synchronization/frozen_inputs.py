"""Frozen inputs: the content that a run reads, as it was when the run started.

A run's folder is made before its row is committed, so a row never lacks its contents; a folder
without a row is what a crash left and is deleted at the next start.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import select, update

from localtwin.errors import Refusal
from localtwin.ids import split_pair
from localtwin.world.blobs.content_parts import Interrupted
from localtwin.world.blobs.contents import Contents
from localtwin.world.durable import sync_folder
from localtwin.world.storage.items import FILE, find
from localtwin.world.synchronization.companions import companions_of
from localtwin.world.synchronization.connections import Connection
from localtwin.world.synchronization.references import Child
from localtwin.world.tables import blobs, sources

BRIDGE = "bridge"
UNMAP = "unmap"


@dataclass(frozen=True, slots=True)
class Order:
    """One source file of a run; `url` is where a manifest's file is fetched.

    `children` are its reference files, which lie beside it under their names. `document` holds
    metadata of a document management system.
    """

    file_id: str
    name: str
    connector_type: str
    action: str = BRIDGE
    url: str | None = None
    children: tuple[Child, ...] = ()
    document: dict[str, Any] | None = None


class FrozenInputs:
    """Makes and drops the folders of runs."""

    def __init__(self, contents: Contents, folder: Path) -> None:
        self._contents = contents
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def folder(self, run_id: str) -> Path:
        """Return the run's folder."""
        return self._folder / run_id

    def copy(
        self,
        transaction: Transaction,
        run_id: str,
        connection: Connection,
        orders: Sequence[Order] | None,
    ) -> list[tuple[Order, str | None]]:
        """Return each order with the name of its frozen content; None: there is none to read.

        Runs inside the transaction that starts the run, so no blob can change meanwhile.
        """
        folder = self.folder(run_id)
        folder.mkdir()
        if orders is not None:
            sync_folder(self._folder)
            return [(order, _target(order, at)) for at, order in enumerate(orders)]
        frozen = []
        rows = transaction.execute(
            select(sources.c.id, sources.c.file_id, sources.c.connector_type)
            .where(sources.c.connection_id == connection.id)
            .order_by(sources.c.seq)
        ).all()
        for at, row in enumerate(rows):
            name, content, children = self._freeze_file(transaction, row.file_id, folder / f"{at}")
            transaction.execute(
                update(sources).where(sources.c.id == row.id).values(last_known_name=name)
            )
            order = Order(row.file_id, name, row.connector_type, children=children)
            frozen.append((order, content))
        sync_folder(folder)
        sync_folder(self._folder)
        return frozen

    def restore(self, run_id: str) -> bool:
        """Make what was frozen in parts one file each; False: the world is being closed."""
        try:
            self._contents.restore(self.folder(run_id))
        except Interrupted:
            return False
        return True

    def drop(self, run_id: str) -> None:
        """Delete the run's folder."""
        shutil.rmtree(self.folder(run_id), ignore_errors=True)

    def sweep(self, keep: Collection[str]) -> None:
        """Delete every folder but those of the runs to keep."""
        for folder in self._folder.iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _freeze_file(
        self, transaction: Transaction, file_id: str, target: Path
    ) -> tuple[str, str | None, tuple[Child, ...]]:
        """Return the file's name, its frozen content, and what was frozen beside it."""
        try:
            item = find(transaction, file_id, FILE)
        except Refusal:
            return _last_name(transaction, file_id), None, ()
        query = select(blobs.c.content).where(blobs.c.id == item.guid)
        content = transaction.execute(query).scalar()
        if content is None:
            return item.name, None, ()
        companions = companions_of(transaction, item)
        if not companions:
            self._contents.copy(content, target)
            return item.name, target.name, ()
        target.mkdir()
        self._contents.copy(content, target / item.name)
        for each in companions:
            self._contents.copy(each.content, target / each.name)
        sync_folder(target)
        children = tuple(Child(each.name, None) for each in companions)
        return item.name, f"{target.name}/{item.name}", children


def _target(order: Order, at: int) -> str:
    """Return where the file is put: one with references shares a folder with them."""
    return f"{at}/{order.name}" if order.children else f"{at}"


def _last_name(transaction: Transaction, file_id: str) -> str:
    pair = split_pair(file_id)
    query = select(sources.c.last_known_name).where(sources.c.file_id == file_id)
    return str(transaction.execute(query).scalar() or (pair and pair[1]) or file_id)
