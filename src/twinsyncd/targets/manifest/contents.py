"""What the object store holds of a connection's files, for a comparison with the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...cloud.values import StorageItem
from ...core.commands import StoredFile
from ...core.model import Digest, StorageId
from .places import ObjectPath, Place


@dataclass(slots=True)
class HeldContents:
    """One listing of an object store; a content is known by the digest in its path."""

    objects: Place
    place: str = "the object store"
    _paths: dict[StorageId, ObjectPath] = field(default_factory=dict)

    def look(self, files: Iterable[StoredFile]) -> Iterator[tuple[StoredFile, StorageItem | None]]:
        """Yield each file with the object of its digest, None if there is none."""
        held = self.objects.held()
        paths = {(path.storage_id, path.digest): path for path in held}
        for file in files:
            path = paths.get((file.storage_id, file.digest))
            if path is None:
                yield file, None
                continue
            self._paths[file.storage_id] = path
            size_bytes = held[path].size_bytes
            yield file, StorageItem(file.storage_id, path.name, size_bytes=size_bytes)

    def misplaced(self, file: StoredFile) -> str:  # noqa: ARG002 - a member of Contents
        """Return "": a run names each file, whatever its object is called."""
        return ""

    def digest(self, storage_id: StorageId) -> Digest:
        """Return the SHA-256 of the object that `look` found."""
        hashed = hashlib.sha256()
        for piece in self.objects.read(self._paths[storage_id]):
            hashed.update(piece)
        return Digest(hashed.hexdigest())
