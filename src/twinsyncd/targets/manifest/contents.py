"""What the object store holds of a connection's files, for a comparison with the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...cloud.values import StorageItem
from ...core.commands import StoredFile
from ...core.model import Digest, StorageId
from .places import Held, ObjectPath


@dataclass(frozen=True, slots=True)
class HeldContents:
    """One listing of the place. A content has its digest in its path, so nothing is read back."""

    held: Mapping[ObjectPath, Held]
    place: str = "the object store"

    def look(self, files: Iterable[StoredFile]) -> Iterator[tuple[StoredFile, StorageItem | None]]:
        """Yield each file with the object of its digest, None if there is none."""
        sizes = {
            (path.storage_id, path.digest): (path.name, held.size_bytes)
            for path, held in self.held.items()
        }
        for file in files:
            found = sizes.get((file.storage_id, file.digest))
            item = (
                None if found is None else StorageItem(file.storage_id, found[0], False, found[1])
            )
            yield file, item

    def digest(self, storage_id: StorageId) -> Digest:
        """Never asked, since objects have no marks that could change."""
        raise AssertionError(storage_id)
