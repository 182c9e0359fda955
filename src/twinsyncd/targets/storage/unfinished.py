"""Uploads whose bytes are in Storage while `complete` was refused, as by a rate limit.

The next store of the same content only completes them: otherwise the requests that a limit admits
would be spent on the first steps of many files, and none of them would ever be whole. Nothing is
durable; after a restart such a file is uploaded again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from ...cloud.blobs import Blobs
from ...cloud.client import Platform
from ...cloud.values import StorageItem, Upload
from ...core.commands import Store
from ...core.model import Digest, Fault, FileKey
from ...errors import CloudError

FILES_MAX: Final = 1000  # more than are ever under way at a time; those forgotten are sent again
_OPEN: Final = frozenset({Fault.THROTTLED, Fault.TRANSIENT})


@dataclass(frozen=True, slots=True)
class _Unfinished:
    digest: Digest
    upload: Upload
    etag: str


@dataclass(slots=True)
class UnfinishedUploads:
    """The last unfinished upload of each file; for several threads."""

    platform: Platform
    blobs: Blobs
    _known: dict[FileKey, _Unfinished] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def complete(self, command: Store, upload: Upload) -> StorageItem:
        """Complete an upload; it is remembered if that is refused for now. Raises CloudError."""
        try:
            return self.platform.complete(upload)
        except CloudError as exc:
            if exc.failure.fault in _OPEN:
                self._keep(command, upload)
            raise

    def finish(self, command: Store) -> StorageItem | None:
        """Complete what was uploaded before; None if the content must be sent. Raises CloudError.

        Somebody else may have changed the content meanwhile or deleted the file, or the URL has
        expired.
        """
        upload = self._take(command)
        if upload is None:
            return None
        try:
            return self.complete(command, upload)
        except CloudError as exc:
            if exc.failure.fault is Fault.GONE:
                return None
            raise

    def _keep(self, command: Store, upload: Upload) -> None:
        if not (etag := self._etag(upload)):
            return
        with self._lock:
            if len(self._known) >= FILES_MAX:
                del self._known[next(iter(self._known))]  # the oldest
            self._known[command.key] = _Unfinished(command.digest, upload, etag)

    def _take(self, command: Store) -> Upload | None:
        with self._lock:
            found = self._known.pop(command.key, None)
        if found is None or found.digest != command.digest:
            return None
        if found.upload.storage_id != command.storage_id or self._etag(found.upload) != found.etag:
            return None
        return found.upload

    def _etag(self, upload: Upload) -> str:
        """Return the mark of what the blob holds; "" if it is not known."""
        try:
            return self.blobs.etag(upload.url)
        except CloudError:
            return ""  # then the content is sent again
