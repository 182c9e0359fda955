"""What Storage holds of a connection's files now: one listing per folder, as few calls as can be.

Sources: Storage API, "Folder listing", "Get file", "Download file".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ...cloud.blob_reader import BlobReader
from ...cloud.client import Platform
from ...cloud.values import StorageItem
from ...core.commands import StoredFile
from ...core.model import Digest, Fault, FileKey, StorageId
from ...errors import CloudError
from .tree import StorageTree


def version_of(item: StorageItem) -> str:
    """Return the service's mark of what a file holds: when it was last modified; "" if not told."""
    return f"{item.modified_s:.3f}" if item.modified_s > 0.0 else ""


@dataclass(slots=True)
class StoredContents:
    """Looks files up by id, wherever in Storage they are."""

    platform: Platform
    reader: BlobReader
    tree: StorageTree
    folder_of: Callable[[FileKey], str]
    place: str = "Storage"
    _listed: set[str] = field(default_factory=set)  # ids of folders that were listed
    _items: dict[str, StorageItem] = field(default_factory=dict)

    def look(self, files: Iterable[StoredFile]) -> Iterator[tuple[StoredFile, StorageItem | None]]:
        """Yield each file with what Storage has of it, None if it is not there any more."""
        expected = list(files)
        by_folder: dict[str, set[str]] = {}
        for file in expected:
            by_folder.setdefault(self.folder_of(file.key), set()).add(file.storage_id)
        self.tree.forget()  # others may have changed anything
        for path, ids in by_folder.items():
            folder = self.tree.find(path)
            if folder is not None:
                self._list(folder, ids)
        missing = {file.storage_id for file in expected} - set(self._items)
        for file in expected:
            found = self._items.get(file.storage_id)
            yield file, found or self._elsewhere(file.storage_id, missing)

    def digest(self, storage_id: StorageId) -> Digest:
        """Return the SHA-256 of the content that Storage holds."""
        return self.reader.digest(lambda: self.platform.download_link(storage_id))

    def _elsewhere(self, storage_id: StorageId, missing: AbstractSet[str]) -> StorageItem | None:
        """Look for a file that is not in its folder; others moved with it are found at once."""
        try:
            found = self.platform.file(storage_id)
        except CloudError as exc:
            if exc.failure.fault is Fault.GONE:
                return None
            raise
        self._items[storage_id] = found
        if found.parent_id and found.parent_id not in self._listed:
            self._list(found.parent_id, missing)
        return found

    def _list(self, folder_id: str, ids: AbstractSet[str]) -> None:
        """List a folder until these files are found; mostly that saves the call for its end."""
        self._listed.add(folder_id)
        left = set(ids)
        for item in self.platform.list_folder(folder_id):
            if not item.is_folder:
                self._items[item.id] = item
                left.discard(item.id)
            if not left:
                return
