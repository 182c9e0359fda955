"""What Storage holds of a connection's files now: one listing per folder, as few calls as can be.

Sources: Storage API, "Folder listing", "Get file", "Download file".
"""

from __future__ import annotations

import unicodedata
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


def same_name(one: str, other: str) -> bool:
    """Return whether two names are the same text, however their accents are encoded."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def takeable(
    twins: Iterable[tuple[str, StorageId]],
    name: str,
    is_on_drive: Callable[[StorageId], bool | None],
) -> list[StorageId]:
    """Return the files in Storage whose place a new file of this name takes.

    `twins`: their names, which are the same one in another case or encoding, and ids. Those of
    ours that are gone, and of nobody we know only one whose name is the same text.
    """
    states = ((id_, same_name(other, name), is_on_drive(id_)) for other, id_ in twins)
    return [id_ for id_, is_same, state in states if state is False or (is_same and state is None)]


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
    _folders: dict[str, str] = field(default_factory=dict)  # of an item's id: the folder's id
    _wanted: dict[str, str | None] = field(default_factory=dict)  # folders' ids, by path
    _paths: dict[str, str] = field(default_factory=dict)  # of folders of others, by id

    def look(self, files: Iterable[StoredFile]) -> Iterator[tuple[StoredFile, StorageItem | None]]:
        """Yield each file with what Storage has of it, None if it is not there any more."""
        expected = list(files)
        by_folder: dict[str, set[str]] = {}
        for file in expected:
            by_folder.setdefault(self.folder_of(file.key), set()).add(file.storage_id)
        self.tree.forget()  # others may have changed anything
        for path, ids in by_folder.items():
            folder = self._wanted[path] = self.tree.find(path)
            if folder is not None:
                self._list(folder, ids)
        missing = {file.storage_id for file in expected} - set(self._items)
        for file in expected:
            found = self._items.get(file.storage_id)
            yield file, found or self._elsewhere(file.storage_id, missing)

    def misplaced(self, file: StoredFile) -> str:
        """Return how somebody renamed or moved a file that `look` found; "" if nobody did."""
        item, path = self._items[file.storage_id], self.folder_of(file.key)
        name, found = file.key.path.rpartition("/")[2], []
        if not same_name(item.name, name):
            found.append(f"renamed it in {self.place} to {item.name!r}")
        folder = self._folders.get(file.storage_id, item.parent_id)
        if folder and folder != self._wanted[path] and (there := self.path_of(folder)) != path:
            found.append(f"moved it in {self.place} to the folder {there!r}")
        return " and ".join(found)

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
                self._folders[item.id] = folder_id
                left.discard(item.id)
            if not left:
                return

    def path_of(self, folder_id: str) -> str:
        """Return the path of a folder below the top; as far as it can be looked up."""
        if folder_id not in self._paths:
            try:
                folder = self.platform.folder(folder_id)
            except CloudError as exc:
                if exc.failure.fault is not Fault.GONE:
                    raise
                self._paths[folder_id] = "?"
            else:
                above = self.path_of(folder.parent_id) if folder.parent_id else None
                is_top = above is None
                self._paths[folder_id] = "" if is_top else f"{above}/{folder.name}".lstrip("/")
        return self._paths[folder_id]
