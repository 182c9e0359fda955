"""Every fact that the machine can receive, in the past tense; each is a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from .compare_facts import Compared, CompareFailed, Difference, Differs
from .drive_facts import (
    DriveFact,
    FilesFound,
    Hashed,
    HashMissed,
    HintsDegraded,
    HintsLost,
    Looked,
    LookFailed,
    Rehashed,
    ScanFailed,
    Scanned,
    ShareAnswers,
    ShareSlow,
    Touched,
)
from .model import (
    ConnectionKey,
    Digest,
    Failure,
    FileKey,
    RunKey,
    StorageId,
)
from .person_facts import (
    ApproveAsked,
    PauseAsked,
    PersonFact,
    PublishAsked,
    ResumeAsked,
    RetryAsked,
    SignedIn,
    SyncAsked,
)
from .results import FileResult, Outcome
from .stage_facts import Staged, StageFact, StageFailed, StageMoved

__all__ = [
    "ApproveAsked",
    "CompareFact",
    "CompareFailed",
    "Compared",
    "Difference",
    "Differs",
    "DriveFact",
    "Fact",
    "FilesFound",
    "HashMissed",
    "Hashed",
    "HintsDegraded",
    "HintsLost",
    "LookFailed",
    "Looked",
    "PauseAsked",
    "PersonFact",
    "PlaceFailed",
    "Placed",
    "PrepareFailed",
    "Prepared",
    "PublishAsked",
    "Rehashed",
    "RemoveFailed",
    "Removed",
    "Reserved",
    "ResumeAsked",
    "RetryAsked",
    "RunFact",
    "RunFound",
    "RunLookFailed",
    "RunRefused",
    "RunSeen",
    "RunStarted",
    "ScanFailed",
    "Scanned",
    "ShareAnswers",
    "ShareSlow",
    "SignedIn",
    "StageFailed",
    "StageMoved",
    "Staged",
    "StartClashed",
    "StartFailed",
    "StorageFact",
    "StoreFailed",
    "StoreMoved",
    "Stored",
    "SyncAsked",
    "Ticked",
    "Touched",
]


# ---- Storage --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reserved:
    """During a Store: the service gave the file its id; the content follows.

    `is_new`: the service made this id just now, so that it can be no other file's.
    """

    key: FileKey
    storage_id: StorageId
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """The content with this digest is complete in Storage under this id.

    `version`: the service's own mark of what it holds now; "" if it gives none. `text`: what the
    store did, in words for the history; "" if there is no more to know.
    """

    key: FileKey
    digest: Digest
    storage_id: StorageId
    version: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class StoreMoved:
    """The file changed after it had settled; nothing was committed."""

    key: FileKey


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The store did not succeed; unless refused or throttled its effect is not known."""

    key: FileKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class Placed:
    """The stored file has the name and the folder of its path now."""

    key: FileKey


@dataclass(frozen=True, slots=True)
class PlaceFailed:
    """The stored file may still have an earlier name, or be in an earlier folder."""

    key: FileKey
    failure: Failure


# ---- runs -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """The connection exists; of the files it was asked for, it holds `in_connection` now.

    `last_run`: its newest run as of now, "" if none. `refused`: files the service will not take.
    `storage_as_expected`: False if one of them is not in Storage any more. `last_run_known`: False
    if the service does not know the newest run of ours any more.
    """

    connection: ConnectionKey
    remote_id: str
    last_run: RunKey
    in_connection: tuple[FileKey, ...] = ()
    refused: tuple[tuple[FileKey, str], ...] = ()
    storage_as_expected: bool = True
    last_run_known: bool = True
    was_there: bool = False  # nobody remembered it, and it was found in the service
    authorised: bool = False  # runs may act for the user; False: they need not, it is a service's


@dataclass(frozen=True, slots=True)
class Removed:
    """What was asked for is taken out of the connection, but for the files that are `refused`."""

    connection: ConnectionKey
    files: tuple[FileKey, ...]
    refused: tuple[tuple[FileKey, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveFailed:
    """Some of it may be taken out; doing it again does no harm."""

    connection: ConnectionKey
    failure: Failure


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
    """409: several start requests came at once; ours was not accepted. `reason`: what it said."""

    connection: ConnectionKey
    reason: str = ""


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


# ---- time ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


StorageFact = Reserved | Stored | StoreMoved | StoreFailed | StageFact | Placed | PlaceFailed
RunFact = (
    Removed
    | RemoveFailed
    | Prepared
    | PrepareFailed
    | RunStarted
    | RunRefused
    | StartClashed
    | StartFailed
    | RunFound
    | RunSeen
    | RunLookFailed
)
CompareFact = Compared | CompareFailed
Fact = DriveFact | StorageFact | RunFact | CompareFact | PersonFact | Ticked
