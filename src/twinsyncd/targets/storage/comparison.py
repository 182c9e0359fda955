"""Compares what the journal remembers of a connection with what the service has now.

Only looks; what a difference means is decided elsewhere. Where a file has its size and another
time, its content is read back, since a time alone proves nothing.
Sources: Storage API, "Folder listing"; Synchronization API, "Get storage connection source files".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from ...cloud.client import Platform
from ...cloud.values import SourceFile, StorageItem
from ...core.commands import Compare, StoredFile
from ...core.facts import Compared, Difference, Differs
from ...core.model import Digest, FileKey, StorageId
from ..settings import ConnectionSettings
from .contents import version_of
from .evidence import knows_run


class Contents(Protocol):
    """What holds the contents of files: Storage, or an object store."""

    @property
    def place(self) -> str:
        """Its name, for people."""

    def look(self, files: Iterable[StoredFile]) -> Iterator[tuple[StoredFile, StorageItem | None]]:
        """Yield each file with what is there of it, None if it is not there any more."""

    def misplaced(self, file: StoredFile) -> str:
        """Return under which name and where `look` found it; "" if that is as its path says."""

    def digest(self, storage_id: StorageId) -> Digest:
        """Return the SHA-256 of the content that is there."""


class CloudComparison:
    """One comparison of one connection."""

    def __init__(
        self,
        platform: Platform,
        contents: Contents,
        settings: ConnectionSettings,
        leftovers: Callable[[Iterable[SourceFile]], Iterable[tuple[FileKey, StorageId]]] = (
            lambda _others: ()
        ),
    ) -> None:
        """`contents` must be new, since it remembers what it lists.

        `leftovers` returns which files of ours further source files of the connection would be.
        """
        self._leftovers = leftovers
        self._platform = platform
        self._contents = contents
        self._settings = settings
        self._versions: list[tuple[FileKey, str]] = []

    def compare(self, command: Compare) -> Compared:
        """Look at the connection, its newest run and Storage.

        Raises CloudError; GONE when the connection does not exist any more.
        """
        mapped: Mapping[str, SourceFile] = {}
        if command.remote_id:
            found = self._platform.source_files(command.remote_id)
            mapped = {each.storage_id: each for each in found}
        differences = [*self._in_storage(command), *self._in_connection(command, mapped)]
        ours = {file.storage_id for file in command.files}
        others = [each for each in mapped.values() if each.storage_id not in ours]
        return Compared(
            command.connection,
            tuple(differences),
            tuple(self._versions),
            knows_run(self._platform, command.last_run),
            tuple((each.storage_id, each.name) for each in others),
            tuple(self._leftovers(others)),
        )

    def _in_storage(self, command: Compare) -> Iterator[Difference]:
        for file, item in self._contents.look(command.files):
            if item is None:
                text = f"somebody deleted it in {self._contents.place}; it is uploaded again"
                yield Difference(file.key, Differs.MISSING, text)
                continue
            if difference := self._content_differs(file, item):
                yield difference
            if found := self._contents.misplaced(file):
                text = f"somebody {found}; it gets its name and folder back"
                yield Difference(file.key, Differs.MISPLACED, text)

    def _content_differs(self, file: StoredFile, item: StorageItem) -> Difference | None:
        """Return how the content differs; note the mark of one that does not."""
        version = version_of(item)
        sizes = {file.size_bytes, item.size_bytes} - {None}
        if len(sizes) > 1:
            place = self._contents.place
            text = f"{place} holds {item.size_bytes} bytes of it, not {file.size_bytes}"
            return _overwritten(file, item, text)
        if file.version not in ("", version) and not self._is_content(file):
            text = f"{self._contents.place} holds another content of the same size"
            return _overwritten(file, item, text)
        if version != file.version:
            self._versions.append((file.key, version))
        return None

    def _is_content(self, file: StoredFile) -> bool:
        return self._contents.digest(file.storage_id) == file.digest

    def _in_connection(
        self, command: Compare, mapped: Mapping[str, SourceFile]
    ) -> Iterator[Difference]:
        for file in command.files:
            if not file.in_connection:
                continue
            source_file = mapped.get(file.storage_id)
            wanted = self._settings.connector_of(file.key)
            if source_file is None:
                text = "somebody took it out of the connection; it is added again"
                yield Difference(file.key, Differs.UNMAPPED, text)
            elif source_file.connector and source_file.connector != wanted:
                text = (
                    f"the connection reads it as {source_file.connector}, the configuration says "
                    f"{wanted}; it is changed there, and a run follows"
                )
                yield Difference(file.key, Differs.CONNECTOR, text)


def _overwritten(file: StoredFile, item: StorageItem, text: str) -> Difference:
    modified = ""
    if item.modified_s > 0.0:
        modified = f", modified {datetime.fromtimestamp(item.modified_s, UTC):%Y-%m-%d %H:%M} UTC"
    return Difference(file.key, Differs.OVERWRITTEN, f"{text}{modified}; it is uploaded again")
