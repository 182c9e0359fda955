"""One source's folder as workers know it: look, hash, open and scan by relative path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import Digest, Fingerprint, SourceKey
from .look import StableContent, digest_of, look
from .protocols import Known, PathFilter
from .scan import scan


@dataclass(frozen=True, slots=True)
class Folder:
    """Reads one source; safe from several threads at once."""

    source: SourceKey
    path: Path
    path_filter: PathFilter
    known: Known

    def look(self, path: str) -> Fingerprint | None:
        """Take one look; None if there is no such file. Raises DiskError."""
        return look(self.path / path)

    def digest(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read the file whole while it stays the same. Raises FileMoved, DiskError."""
        return digest_of(self.path / path, fingerprint)

    def open(self, path: str, fingerprint: Fingerprint, digest: Digest) -> StableContent:
        """Return the settled content, to be entered for reading."""
        return StableContent(self.path / path, fingerprint, digest)

    def scan(
        self, identity: str, *, approved: bool = False
    ) -> Iterator[FilesFound | Scanned | ScanFailed]:
        """List it and compare it with what is known; closes with Scanned or ScanFailed."""
        return scan(
            self.source, self.path, identity, self.path_filter, self.known, approved=approved
        )
