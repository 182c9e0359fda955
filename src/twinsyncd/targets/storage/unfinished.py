"""Uploads whose bytes are in Storage while `complete` was refused, as by a rate limit.

The next store of the same content only completes them: otherwise the requests that a limit admits
would be spent on the first steps of many files, and none of them would ever be whole. Nothing is
durable; after a restart such a file is uploaded again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ...cloud.blobs import Blobs
from ...cloud.values import Upload
from ...core.commands import Store
from ...core.model import Digest, Fault, FileKey
from ...errors import CloudError

_OPEN: frozenset[Fault] = frozenset({Fault.THROTTLED, Fault.TRANSIENT})


@dataclass(frozen=True, slots=True)
class _Unfinished:
    digest: Digest
    upload: Upload
    etag: str


@dataclass(slots=True)
class UnfinishedUploads:
    """The last unfinished upload of each file; for several threads."""

    blobs: Blobs
    _known: dict[FileKey, _Unfinished] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, command: Store, upload: Upload, exc: CloudError) -> None:
        """Remember an upload that `exc` kept from completing, if another try may complete it."""
        if exc.failure.fault not in _OPEN or not (etag := self._etag(upload)):
            return
        with self._lock:
            self._known[command.key] = _Unfinished(command.digest, upload, etag)

    def take(self, command: Store) -> Upload | None:
        """Return the upload that a complete would end, once; None if the content must be sent.

        Somebody else may have changed the content meanwhile, or the URL has expired.
        """
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
