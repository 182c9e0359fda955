"""Every fact that the machine can receive, in the past tense; each is a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from .model import (
    BlindSpot,
    ConnectionKey,
    Digest,
    Failure,
    FileKey,
    FileResult,
    Fingerprint,
    HeldSource,
    Outcome,
    RunKey,
    SourceKey,
    StorageId,
)

# ---- the drive ------------------------------------------------------------------------


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
    """The file changed, vanished or could not be read while it was being hashed."""

    key: FileKey
    reason: str


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
    """

    source: SourceKey
    reason: str
    needs_person: bool = False
    drive: str = ""
    missing_count: int = 0


# ---- Storage --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reserved:
    """During a Store: the service gave the file its id; the content follows."""

    key: FileKey
    storage_id: StorageId


@dataclass(frozen=True, slots=True)
class Stored:
    """The content with this digest is complete in Storage under this id."""

    key: FileKey
    digest: Digest
    storage_id: StorageId


@dataclass(frozen=True, slots=True)
class StoreMoved:
    """The file changed after it had settled; nothing was committed."""

    key: FileKey


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The store did not succeed; unless refused or throttled its effect is not known."""

    key: FileKey
    failure: Failure


# ---- runs -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """The connection exists and holds these files as source files.

    `last_run`: its newest run as of now, "" if none. `refused`: files the service will not take.
    """

    connection: ConnectionKey
    remote_id: str
    last_run: RunKey
    in_connection: tuple[FileKey, ...] = ()
    refused: tuple[tuple[FileKey, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PrepareFailed:
    """The connection could not be found, created or completed."""

    connection: ConnectionKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class RunStarted:
    """202: the run was accepted and is ours."""

    connection: ConnectionKey
    run: RunKey


@dataclass(frozen=True, slots=True)
class RunRefused:
    """303: this run, which may be anybody's, is active on the iModel; nothing was started."""

    connection: ConnectionKey
    active_run: RunKey
    on_our_connection: bool


@dataclass(frozen=True, slots=True)
class StartClashed:
    """409: several start requests came at once; ours was not accepted."""

    connection: ConnectionKey


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The start request failed; if transient, a run may have started nevertheless."""

    connection: ConnectionKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class RunFound:
    """The newest run of the connection, looked up after a lost answer; "" if it has none."""

    connection: ConnectionKey
    run: RunKey


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One look at a run. `files`: the result per file once the run has ended; may be incomplete."""

    connection: ConnectionKey
    run: RunKey
    outcome: Outcome
    message: str = ""
    files: tuple[FileResult, ...] = ()
    unauthorised: bool = False  # it failed because the connection's owner is signed out


@dataclass(frozen=True, slots=True)
class RunLookFailed:
    """A look at a run, or for one, failed; says nothing about the run unless it is gone."""

    connection: ConnectionKey
    run: RunKey
    failure: Failure


# ---- people and time ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """A person asks to look at everything now, without waits."""


@dataclass(frozen=True, slots=True)
class RetryAsked:
    """A person asks to retry a file that was set aside; None: all of them."""

    key: FileKey | None = None


@dataclass(frozen=True, slots=True)
class ApproveAsked:
    """A person approves what was shown of some sources, and nothing more."""

    findings: tuple[HeldSource, ...]


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


DriveFact = (
    Touched
    | HintsLost
    | Looked
    | LookFailed
    | Hashed
    | HashMissed
    | FilesFound
    | Scanned
    | ScanFailed
)
StorageFact = Reserved | Stored | StoreMoved | StoreFailed
RunFact = (
    Prepared
    | PrepareFailed
    | RunStarted
    | RunRefused
    | StartClashed
    | StartFailed
    | RunFound
    | RunSeen
    | RunLookFailed
)
PersonFact = SyncAsked | RetryAsked | ApproveAsked
Fact = DriveFact | StorageFact | RunFact | PersonFact | Ticked
