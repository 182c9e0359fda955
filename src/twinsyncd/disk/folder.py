"""One source's folder as workers know it: look, hash, open and scan by relative path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import Digest, Fingerprint, SourceKey
from ..errors import DiskError
from .folder_digests import FolderDigests
from .listing_ahead import Submit
from .lock_files import require_closed
from .look import StableContent, digest_of, look, try_reading
from .protocols import Known, PathFilter
from .root import ask
from .same_names import SameNames
from .scan import scan
from .stuck import StuckPlaces
from .survey import survey
from .tree import Tree


@dataclass(frozen=True, slots=True)
class Folder:
    """Reads one source; safe from several threads at once."""

    source: SourceKey
    tree: Tree
    path_filter: PathFilter
    known: Known
    digests: FolderDigests = field(default_factory=FolderDigests)
    same_names: SameNames = field(default_factory=SameNames)
    only_complete: bool = True  # a new content that was not saved to its end is not taken,
    only_closed: bool = False  # nor one of a file that a lock file says is open
    submit: Submit | None = None  # does something on a thread of the drive
    stuck: StuckPlaces = field(default_factory=StuckPlaces)

    def look(self, path: str) -> Fingerprint | None:
        """Take one look; None if there is no such file. Raises DiskError."""
        with self._using(path):
            return look(self.tree, path)

    def ask(self) -> None:
        """Ask the drive something that only it can answer, and cheaply. Raises OSError."""
        ask(self.tree.folder)

    def survey(self, limit: int) -> Iterator[str]:
        """Yield the paths of at most `limit` files, whether they match or not."""
        return survey(self.tree, limit)

    def try_reading(self, path: str) -> None:
        """Open the file and read a byte. Raises DiskError if that is not possible."""
        with self._using(path):
            try_reading(self.tree, path)

    @contextmanager
    def _using(self, path: str) -> Iterator[None]:
        """Note that the drive is asked about a file. Raises DiskError if it does not answer."""
        if reason := self.stuck.reason(path):
            raise DiskError(reason)
        with self.stuck.using(path):
            yield

    def digest(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read the file whole while it stays the same. Raises FileMoved, DiskError."""
        return digest_of(self.tree, path, fingerprint)

    def require_acceptable(self, path: str, fingerprint: Fingerprint) -> None:
        """Raise DiskError if the configuration says not to take the file as it is now."""
        self._require_takeable(path)
        if self.only_complete:
            with self.open(path, fingerprint, Digest("")) as content:
                content.require_complete()

    def digest_of_new(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read a file whose content is new, like `digest`. DiskError if not acceptable, too."""
        self._require_takeable(path)
        return digest_of(self.tree, path, fingerprint, only_complete=self.only_complete)

    def _require_takeable(self, path: str) -> None:
        """Raise DiskError if another file has its name, or if it has to be closed and is not."""
        self.same_names.require_unlike(self.tree, self.source, path, self.path_filter, self.known)
        if self.only_closed:
            require_closed(self.tree, path)

    def open(self, path: str, fingerprint: Fingerprint, digest: Digest) -> StableContent:
        """Return the settled content, to be entered for reading."""
        return StableContent(self.tree, path, fingerprint, digest)

    def scan(self, command: Scan) -> Iterator[FilesFound | Scanned | ScanFailed]:
        """List it and compare it with what is known; closes with Scanned or ScanFailed."""
        return scan(
            command,
            self.tree,
            self.path_filter,
            self.known,
            digests=self.digests,
            submit=self.submit,
            stuck=self.stuck,
        )
