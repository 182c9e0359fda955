"""The facts about the drive that the machine can receive; part of `facts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .model import BlindSpot, Digest, FileKey, Fingerprint, SourceKey

SILENT: Final = "the drive does not answer since"
"""How the reason begins of a drive that hangs."""

PART_SILENT: Final = "a file or folder in it does not answer since"
"""The same of one that answers others; a scan finds out which place of it hangs."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A hint: something may have happened to this matched file. Hints may be wrong or get lost."""

    key: FileKey


@dataclass(frozen=True, slots=True)
class HintsLost:
    """The watcher knows that it missed something below this source; only a scan can find it."""

    source: SourceKey
    reason: str


@dataclass(frozen=True, slots=True)
class HintsDegraded:
    """Changes in this source are not, or not all, noticed at once; "": they are again."""

    source: SourceKey
    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at each of some files of a source; None: no such file."""

    source: SourceKey
    looks: tuple[tuple[str, Fingerprint | None], ...]


@dataclass(frozen=True, slots=True)
class LookFailed:
    """A file or its drive could not be looked at; says nothing about whether it exists."""

    key: FileKey
    reason: str


@dataclass(frozen=True, slots=True)
class Hashed:
    """The file was read whole while its fingerprint stayed this one."""

    key: FileKey
    fingerprint: Fingerprint
    digest: Digest


@dataclass(frozen=True, slots=True)
class HashMissed:
    """The file could not be read to its end, or (`moved`) it changed while it was read."""

    key: FileKey
    reason: str
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Rehashed:
    """The settled file was read again, in the background, while its fingerprint stayed this one.

    None: it is not as remembered, or could not be read; a look finds out.
    """

    key: FileKey
    fingerprint: Fingerprint | None
    digest: Digest


@dataclass(frozen=True, slots=True)
class FilesFound:
    """A part of a scan: files whose fingerprint is not the one the journal remembers."""

    source: SourceKey
    files: tuple[tuple[str, Fingerprint], ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """The end of a scan of a healthy source.

    `missing`: remembered files whose folder was listed without error (or whose folder is gone
    from a parent that was) and that were not there. `known`: how many files are remembered.
    `blind`: what could not be read and can hold a match; nothing below that is in `missing`.
    `remote`: other hosts may change the drive that is there without this one noticing.
    `drives_inside`: the drives mounted below the folder, each with its path and identity.
    """

    source: SourceKey
    identity: str
    known: int
    missing: tuple[str, ...] = ()
    blind: tuple[BlindSpot, ...] = ()
    remote: bool = False
    drives_inside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ScanFailed:
    """The source itself is offline, unreadable, or not the drive it was.

    `needs_person`: it can be read, but what is there is not what was; a person may approve it.
    `drive`: what is there; `missing_count`: how many remembered files are missing, if counted.
    `silent_since_s`: wall clock [s] at which it answered last, if it does not answer; else 0.
    """

    source: SourceKey
    reason: str
    needs_person: bool = False
    drive: str = ""
    missing_count: int = 0
    silent_since_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ShareSlow:
    """A share has not answered something for some seconds; it may hang, or be slow.

    `reason`: the words for a person; `since_s`: wall clock [s] at which it answered last.
    """

    source: SourceKey
    reason: str
    since_s: float


@dataclass(frozen=True, slots=True)
class ShareAnswers:
    """A share that was slow has answered all that it was asked."""

    source: SourceKey


DriveFact = (
    Touched
    | HintsLost
    | HintsDegraded
    | Looked
    | LookFailed
    | Hashed
    | HashMissed
    | Rehashed
    | FilesFound
    | Scanned
    | ScanFailed
    | ShareSlow
    | ShareAnswers
)


def source_of(fact: DriveFact) -> SourceKey:
    """Return the source that the fact is about."""
    if isinstance(fact, Touched | LookFailed | Hashed | HashMissed | Rehashed):
        return fact.key.source
    return fact.source
