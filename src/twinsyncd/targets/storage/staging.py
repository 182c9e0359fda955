"""What was staged by this process, so that a store has only to commit it; nothing is durable."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.model import Digest, FileKey, StorageId


@dataclass(frozen=True, slots=True)
class _Staged:
    digest: Digest
    storage_id: StorageId
    blocks: tuple[str, ...]


@dataclass(slots=True)
class StagedContents:
    """The newest staged content of each file, as ids of its blocks; for several threads."""

    _known: dict[FileKey, _Staged] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(
        self, key: FileKey, digest: Digest, storage_id: StorageId, blocks: Sequence[str]
    ) -> None:
        """Remember the blocks of a content that was read whole."""
        with self._lock:
            self._known[key] = _Staged(digest, storage_id, tuple(blocks))

    def take(self, key: FileKey, digest: Digest, storage_id: StorageId) -> tuple[str, ...] | None:
        """Return the blocks of exactly this content, once; whatever else was staged is void."""
        with self._lock:
            found = self._known.pop(key, None)
        if found is None or (found.digest, found.storage_id) != (digest, storage_id):
            return None
        return found.blocks

    def drop(self, key: FileKey) -> None:
        """Forget what was staged of a file."""
        with self._lock:
            self._known.pop(key, None)
