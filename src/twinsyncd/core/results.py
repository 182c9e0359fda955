"""How runs end: the outcome of a run, the result of each file in it, and the history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .model import ConnectionKey, Digest, LaneKey, RunKey, SourceKey, StorageId


class Outcome(StrEnum):
    """How a run, or one file in it, ended."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # of a run: some files succeeded
    FAILED = "failed"
    SKIPPED = "skipped"  # of a file: it was not processed, which proves nothing of its content


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of one file in a run: the evidence that its content was processed, or why not.

    `user_must_act`: only a changed file can succeed. `task`: the service's id of the task that
    processed the file. `changeset`: the newest changeset that this task wrote; "" if it wrote none
    or the service does not tell. `name`: the file's name in the service, for a file that failed.
    """

    storage_id: StorageId
    outcome: Outcome
    message: str = ""
    user_must_act: bool = False
    task: str = ""
    changeset: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One finished run of ours, for the history."""

    lane: LaneKey
    connection: ConnectionKey
    run: RunKey
    outcome: Outcome
    started_s: float  # wall clock [s since the epoch]
    ended_s: float
    files: int  # how many it was started for
    message: str = ""


@dataclass(frozen=True, slots=True)
class SlowRun:
    """An active run, ours or one that ours waits for, that is reported to a person; it goes on."""

    connection: ConnectionKey
    run: RunKey
    ours: bool
    lasted_s: float  # so far
    usual_s: float  # how long runs of the connection usually take; 0: too few are known


@dataclass(frozen=True, slots=True)
class RunFile:
    """What one finished run of ours proved of one file: the evidence, for the history.

    A failed file that is none of ours (any more) has no `source`; `path` is its name there.
    """

    connection: ConnectionKey
    run: RunKey
    source: SourceKey
    path: str
    storage_id: StorageId
    digest: Digest  # of the content that the run was started for; ABSENT if it is not ours
    outcome: Outcome
    ended_s: float  # wall clock [s since the epoch]
    task: str = ""
    changeset: str = ""
    message: str = ""
