"""A source's folder together with the threads on which alone it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import Digest, Fingerprint
from ..disk.protocols import Readable
from ..errors import ShareSilent
from .share_threads import ShareThreads


@dataclass(frozen=True, slots=True)
class Share:
    """One source's folder, and the threads on which alone it is used."""

    folder: Readable
    threads: ShareThreads


@dataclass(frozen=True, slots=True)
class ShareFolder:
    """A source's folder for callers that wait for it: a share that hangs becomes an error."""

    folder: Readable
    threads: ShareThreads

    def look(self, path: str) -> Fingerprint | None:
        """Take one look; None if there is no such file. Raises DiskError."""
        return self.threads.call(partial(self.folder.look, path))

    def digest(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read the file whole while it stays the same. Raises FileMoved, DiskError."""
        return self.threads.call(partial(self.folder.digest, path, fingerprint))

    def require_acceptable(self, path: str, fingerprint: Fingerprint) -> None:
        """Raise DiskError if the configuration says not to take the file as it is now."""
        self.threads.call(partial(self.folder.require_acceptable, path, fingerprint))

    def survey(self, limit: int) -> list[str]:
        """Return the paths of at most `limit` files, matched or not. Raises DiskError."""
        return self.threads.call(lambda: list(self.folder.survey(limit)))

    def scan(self, command: Scan) -> Iterator[FilesFound | Scanned | ScanFailed]:
        """List it and compare it with what is known; closes with Scanned or ScanFailed."""
        try:
            yield from self.threads.each(self.folder.scan(command))
        except ShareSilent as exc:
            yield ScanFailed(command.source, str(exc))
