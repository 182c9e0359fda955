"""A source's folder together with the threads on which alone it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import Digest, Fingerprint
from ..disk.protocols import Readable
from ..errors import ShareSilent
from .share_threads import ShareThreads

TRIES: Final = 4  # of one scan: each leaves out what the one before waited for in vain


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
        """List it and compare it with what is known; closes with Scanned or ScanFailed.

        A folder in it that hangs is left out by another try, and is a blind spot of it.
        """
        found: set[str] = set()
        for _ in range(TRIES):
            try:
                for fact in self.threads.each(self.folder.scan(command)):
                    yield _without(fact, found)
            except ShareSilent as exc:
                silence = exc
            else:
                return
            if not self._answers():
                break
        yield ScanFailed(command.source, str(silence))

    def _answers(self) -> bool:
        """Return whether the source answers, although something in it does not."""
        try:
            self.threads.call(self.folder.ask)
        except ShareSilent:
            return False
        except OSError:  # an answer, too
            return True
        return True


def _without(
    fact: FilesFound | Scanned | ScanFailed, found: set[str]
) -> FilesFound | Scanned | ScanFailed:
    """Return the fact without files that were found before; the others are added to them."""
    if not isinstance(fact, FilesFound):
        return fact
    files = tuple(each for each in fact.files if each[0] not in found)
    found.update(path for path, _ in files)
    return FilesFound(fact.source, files)
