"""Everything the machine can ask for, in the imperative; each is carried out at most once.

Every command is answered by exactly one closing fact (named in its docstring), unless the
process dies first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import (
    NO_RUN,
    ConnectionKey,
    Digest,
    FileKey,
    Fingerprint,
    RunKey,
    SourceKey,
    StorageId,
)


@dataclass(frozen=True, slots=True)
class Scan:
    """List the source and compare it with the journal: FilesFound*, then Scanned or ScanFailed."""

    source: SourceKey
    identity: str  # the drive it must be; "" accepts any
    approved: bool = False  # accept emptiness where there were files
    drives_inside: tuple[tuple[str, str], ...] = ()  # drives mounted inside: path, identity


@dataclass(frozen=True, slots=True)
class LookAt:
    """Look at some files of one source: Looked, and LookFailed for those that refuse.

    `reading`: read a byte of each too, since a file can be looked at without the right to read it.
    """

    source: SourceKey
    paths: tuple[str, ...]
    reading: bool = False


@dataclass(frozen=True, slots=True)
class Hash:
    """Read the file whole while it keeps this fingerprint: Hashed or HashMissed."""

    key: FileKey
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Rehash:
    """Read a settled file again, in the background: Rehashed.

    `fingerprint` is as remembered; one without a change time is filled in by the answer.
    """

    key: FileKey
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Store:
    """Bring exactly this content to Storage: Reserved?, then Stored, StoreMoved or StoreFailed."""

    key: FileKey
    connection: ConnectionKey
    digest: Digest
    fingerprint: Fingerprint
    storage_id: StorageId  # the service's id of an earlier store; "" if there was none


@dataclass(frozen=True, slots=True)
class Stage:
    """Bring this content to Storage without making it the file's: Staged, StageMoved, StageFailed.

    What the file holds there stays as it is; a later Store of the same content is then quick.
    """

    key: FileKey
    connection: ConnectionKey
    digest: Digest
    fingerprint: Fingerprint
    storage_id: StorageId


@dataclass(frozen=True, slots=True)
class Place:
    """Name a stored file in Storage, and put it there, as its path says: Placed or PlaceFailed.

    Its id and content stay. Doing so twice changes nothing.
    """

    key: FileKey
    connection: ConnectionKey
    storage_id: StorageId


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """One stored file that must be a source file of its connection."""

    key: FileKey
    storage_id: StorageId
    replaces: tuple[StorageId, ...] = ()  # source files that this one takes the place of


@dataclass(frozen=True, slots=True)
class Prepare:
    """Find or create the connection and see to its source files: Prepared or PrepareFailed.

    `files`: those that the run is for. Which of them the connection holds is looked up each time,
    since anybody may remove one.
    """

    connection: ConnectionKey
    remote_id: str  # as remembered; "" if it was never found
    files: tuple[ExpectedFile, ...]
    last_run: RunKey = field(default=NO_RUN, compare=False)  # the newest run of ours that ended


@dataclass(frozen=True, slots=True)
class GoneFile:
    """One file that is to be taken out; `delete`: out of Storage as well.

    `replaces`: an earlier id of it that may be a source file still, and goes as well.
    """

    key: FileKey
    storage_id: StorageId
    delete: bool
    replaces: tuple[StorageId, ...] = ()


@dataclass(frozen=True, slots=True)
class Remove:
    """Take files that are gone from the drive out of the connection: Removed or RemoveFailed.

    Doing so twice changes nothing.
    """

    connection: ConnectionKey
    remote_id: str  # "" if the connection was never found
    files: tuple[GoneFile, ...]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One file that a run is given, with the content that is stored of it.

    `covered`: the run is started for this content; else it is the same as in the last run.
    `unmap`: the run removes from the iModel what came from this file.
    """

    key: FileKey
    storage_id: StorageId
    digest: Digest
    covered: bool = True
    unmap: bool = False


@dataclass(frozen=True, slots=True)
class StartRun:
    """Ask once for a run: RunStarted, RunRefused, StartClashed or StartFailed.

    `files`: all files of a connection whose runs must name them; else none.
    """

    connection: ConnectionKey
    remote_id: str
    files: tuple[NamedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class FindRun:
    """Look up the newest run of the connection: RunFound or RunLookFailed."""

    connection: ConnectionKey
    remote_id: str


@dataclass(frozen=True, slots=True)
class LookAtRun:
    """Look at one run: RunSeen or RunLookFailed."""

    connection: ConnectionKey
    run: RunKey


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as the journal remembers it in Storage.

    `size_bytes` is None and `version` is "" where they are not known.
    """

    key: FileKey
    storage_id: StorageId
    digest: Digest
    size_bytes: int | None
    version: str
    in_connection: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare what is remembered of a connection with the service: Compared or CompareFailed."""

    connection: ConnectionKey
    remote_id: str  # "" if the connection was never found
    files: tuple[StoredFile, ...]
    last_run: RunKey  # the newest run of ours that ended, "" if there was none


DriveCommand = Scan | LookAt | Hash | Rehash
CloudCommand = Store | Stage | Place | Remove | Prepare | StartRun | FindRun | LookAtRun | Compare
Command = DriveCommand | CloudCommand
