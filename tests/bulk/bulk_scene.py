"""A bulk API in this process, a journal, and files to deliver."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx

from localtwin.api.app import build
from localtwin.faults import parse
from localtwin.world.world import World
from twinsyncd.cloud.bulk_api import BulkApi
from twinsyncd.cloud.bulk_sign_in import ApiKey, Credentials
from twinsyncd.core.commands import Store
from twinsyncd.core.facts import Reserved, Stored
from twinsyncd.core.model import (
    ConnectionKey,
    Digest,
    FileKey,
    Fingerprint,
    SourceKey,
    StorageId,
)
from twinsyncd.journal.bulk_files import BulkFiles
from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.journal.export_rows import ExportRows
from twinsyncd.journal.location import JournalLocation
from twinsyncd.targets.bulk.connection import BulkConnection, BulkMemory, BulkSettings
from twinsyncd.targets.bulk.mapping import RowMapping, RowReader
from twinsyncd.targets.bulk.rivals import FileRows
from twinsyncd.targets.bulk.tables import Table
from wire.in_process import InProcess

ORIGIN = "http://localhost"
CONNECTION = ConnectionKey("Factory")


class Bytes:
    """A settled content that is in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield it in pieces."""
        for first in range(0, len(self.data), size_bytes):
            yield self.data[first : first + size_bytes]

    def note_sent(self, size_bytes: int) -> None:
        """Nobody looks."""

    def verify(self) -> None:
        """It is what it is."""


class Factory:
    """A localtwin with one company, and a connection to it."""

    def __init__(
        self, folder: Path, world: World, http: httpx.Client, journal: JournalLocation
    ) -> None:
        self.world = world
        self.first = world.bulk_credentials()
        self.company = self.first.company_guid
        self.requests: list[httpx.Request] = []
        http.event_hooks["request"].append(self.requests.append)
        self.http = http
        self.folder = folder
        self.drive = folder / "drive"  # what was delivered last, where other files are read
        self.engine = open_database(journal)
        self.api = self.client(ApiKey(lambda: self.first.api_key))
        self.delivered = DeliveredRecords(self.engine)
        self.files = BulkFiles(self.engine)
        self.rows = ExportRows(self.engine)
        self.asked: list[FileKey] = []  # files that the target wants to be tried again

    def client(self, credentials: Credentials) -> BulkApi:
        """Return a client of the service that does not wait between its tries."""
        return BulkApi(self.http, f"{ORIGIN}/api/v1", credentials, lambda _s: None)

    def mapping(self, entity: str, **more: Any) -> RowMapping:
        """Return a mapping whose columns are called as the tests' files have them."""
        keys = {"project_guid": ("project",), "component_guid": ("project", "component")}
        own: dict[str, Any] = {
            "projects": {"columns": {"code": "project"}, "keys": {"guid": ("project",)}},
            "components": {
                "columns": {"code": "component"},
                "keys": {"guid": ("project", "component"), "project_guid": ("project",)},
            },
            "pieces": {
                "columns": {"piece_id": "part", "outer_length": "length"},
                "keys": {"guid": ("project", "part"), **keys},
            },
        }[entity]
        values = {"entity": entity, "company_guid": self.company} | own | more
        return RowMapping(**values)

    def connection(
        self, *, snapshot: bool = False, grace_s: float = 0.0, **mappings: RowMapping
    ) -> BulkConnection:
        """Return a fresh target; the name of a file says what it holds."""
        made = {name: self.mapping(name) for name in ("projects", "components", "pieces")}
        made |= mappings
        settings = BulkSettings(
            "Factory",
            f"{ORIGIN}/api/v1",
            self.folder / "spool",
            lambda key: made[key.path.partition(".")[0]],
            snapshot=snapshot,
            grace_s=grace_s,
            opens=lambda key: nullcontext(self._rows_of(key, made)),
            ask=self.asked.append,
        )
        return BulkConnection(self.api, BulkMemory(self.delivered, self.files, self.rows), settings)

    def _rows_of(self, key: FileKey, mappings: Mapping[str, RowMapping]) -> FileRows | None:
        file, mapping = self.drive / key.path, mappings[key.path.partition(".")[0]]
        rows = Table(file, file.suffix, mapping.wanted())
        return FileRows(rows, RowReader(mapping)) if file.exists() else None

    def store(
        self,
        path: str,
        data: str | bytes,
        connection: BulkConnection | None = None,
        known_as: StorageId = StorageId(""),
        note: Callable[[Reserved], None] = lambda _reserved: None,
    ) -> Stored:
        """Deliver a file with that content; `known_as` is the id that it has."""
        raw = data.encode() if isinstance(data, str) else data
        self.drive.mkdir(exist_ok=True)
        (self.drive / path).write_bytes(raw)
        digest = Digest(hashlib.sha256(raw).hexdigest())
        key = FileKey(SourceKey("Factory/exports"), path)
        command = Store(key, CONNECTION, digest, Fingerprint(len(raw), 1), known_as)
        target = connection or self.connection()
        return target.store(command, Bytes(raw), note)

    def with_parents(self) -> Factory:
        """Deliver project P with component C, and forget the requests."""
        self.store("projects.csv", "project\nP\n")
        self.store("components.csv", "project,component\nP,C\n")
        self.requests.clear()
        return self

    def fault(self, text: str) -> None:
        """Let the service fail as `text` says."""
        self.world.faults.add(parse(text))

    def lengths(self) -> dict[str, float | None]:
        """Return what the service has of the pieces."""
        pieces = self.world.bulk_records.every(self.company, "pieces")
        return {piece["piece_id"]: piece.get("outer_length") for piece in pieces}


@contextmanager
def factory(folder: Path, journal: JournalLocation | None = None) -> Iterator[Factory]:
    """Open a factory in `folder`, and its journal elsewhere if that is given."""
    world = World(folder / "data")
    try:
        with httpx.Client(transport=InProcess(build(world)), base_url=ORIGIN) as http:
            made = Factory(folder, world, http, journal or folder / "journal.sqlite")
            try:
                yield made
            finally:
                made.engine.dispose()
    finally:
        world.close()


def table(**lengths: float | str) -> str:
    """Return a CSV file of pieces of component C with these lengths."""
    rows = [f"P,C,{part},{length}" for part, length in lengths.items()]
    return "\n".join(["project,component,part,length", *rows]) + "\n"
