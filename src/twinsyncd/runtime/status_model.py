"""The shape of the state for programs, of `status --json` and /api/status alike.

Keys are added in later versions, never renamed within a `version`. Times are seconds since 1970
(UTC), durations are seconds; a value that is not known is null.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION: Final = 1


class Document(BaseModel):
    """A part of the state."""

    model_config = ConfigDict(frozen=True)


class StateLine(Document):
    """How something stands, in words."""

    level: Literal["good", "plain", "waits", "bad"] = Field(
        description="bad: a person must act; waits: it ends by itself"
    )
    state: str = Field(description="a few words that stay the same while the state lasts")
    text: str = Field(description="the whole sentence")


class RequestLimitDocument(Document):
    """What a host's rate limit leaves."""

    host: str
    left: int
    limit: int | None = Field(description="null: not known")
    until_s: float = Field(description="when the count begins anew")


class ProcessDocument(Document):
    """The last daemon that kept the journal."""

    pid: int
    version: str
    started_s: float
    beat_s: float = Field(description="its last heartbeat; one is due every 5 s")
    is_idle: bool
    kept_slow: RequestLimitDocument | None = Field(
        description="the rate limit that its requests wait for; null: they wait for none"
    )


class NeedDocument(Document):
    """One thing that is not as it should be."""

    key: str = Field(description="the same as long as it lasts")
    kind: str = Field(description="what kind of trouble it is, as on the page")
    needs_person: bool = Field(description="false: it ends by itself")
    about: str = Field(description="a connection, a source folder, or a file")
    connection: str | None
    text: str = Field(description="the reason, in the service's or the system's own words")
    fix: str = Field(description="what a person does about it")
    since_s: float | None


class RunDocument(Document):
    """A run on the iModel that is going on now."""

    run: str
    ours: bool = Field(description="false: somebody else started it, and ours waits for it")
    since_s: float
    usual_duration_s: float | None = Field(description="null: too few runs are known")


class FilesDocument(Document):
    """How many files there are, by state."""

    known: int
    synced: int
    to_store: int = Field(description="not uploaded yet")
    to_run: int = Field(description="uploaded, not in the iModel yet")
    set_aside: int = Field(description="a person must act")
    gone: int = Field(description="gone from the drive or excluded, kept in the iModel")


class SourceDocument(Document):
    """One source folder."""

    source: str
    folder: str
    on_hold: str | None = Field(description="why nothing is done about it")
    on_hold_since_s: float | None
    noticed_late: str | None = Field(description="why changes are noticed by scans alone")
    unreadable: str | None
    missing: int = Field(
        description="files that the last look did not find, and that do not count as gone yet"
    )
    files: FilesDocument


class RejectedRowDocument(Document):
    """A row of an export file that the service does not have as the file has it."""

    sheet: str | None = Field(description="of a workbook")
    row: int = Field(description="as the program that shows the file counts")
    column: str | None = Field(description="null: no single cell is at fault")
    message: str
    fix: str


class RecordFileDocument(Document):
    """The records of one export file, at its last delivery."""

    source: str
    path: str
    entity: str = Field(description="what its rows are, like pieces")
    is_current: bool = Field(description="false: the file was changed or is gone since then")
    delivered_s: float
    on_drive: int = Field(description="rows of the file that are not empty")
    acknowledged: int = Field(description="the service has them as the file has them")
    rejected: int
    inserted: int
    updated: int
    requests: int
    batches: int
    batches_done: int = Field(description="fewer than `batches`: the others are not sent yet")
    rejected_rows: tuple[RejectedRowDocument, ...] = Field(description="the first 20")


class RecordsDocument(Document):
    """The records of a bulk connection."""

    state: StateLine
    on_drive: int = Field(description="rows of the export files as they are now")
    acknowledged: int
    rejected: int
    waiting: int = Field(description="good, and not in the service yet")
    batches: int = Field(description="of deliveries that have not ended")
    batches_done: int
    files_not_counted: int = Field(description="they were not delivered as they are now")
    files: tuple[RecordFileDocument, ...] = Field(description="those with rejected rows first")


class RootWaitDocument(Document):
    """A file that decides where the iModel is, and goes in first."""

    connection: str = Field(description="whose file it is")
    file: str | None = Field(description="source and path; null while it is not known")
    since_s: float


class ConnectionDocument(Document):
    """One connection."""

    name: str
    current: StateLine = Field(description="whether what is saved on the drive is in the iModel")
    runs: StateLine = Field(description="what its iModel's runs do or wait for")
    halted: str | None = Field(description="why its runs stand still until a person acts")
    trouble_since_s: float | None = Field(description="since when its runs cannot go on")
    next_try_s: float | None = Field(description="when what failed is tried again")
    window_opens_s: float | None = Field(description="when runs may begin; null: at any time now")
    paused_since_s: float | None = Field(description="since when a person has paused it")
    waits_for_root: RootWaitDocument | None = Field(
        description="the spatial root that goes in before its files; null: it waits for none"
    )
    files: FilesDocument
    oldest_change_s: float | None = Field(description="since when the oldest change waits")
    compared_with_cloud: StateLine
    active_run: RunDocument | None
    latency_p50_s: float | None = Field(
        description="from saved (settled) to in the iModel, over the last day"
    )
    latency_p95_s: float | None
    authorised_days: int | None = Field(description="for which runs may act for the person")
    sources: tuple[SourceDocument, ...]
    records: RecordsDocument | None = Field(description="null: none were sent to a bulk API")


class OpenFileDocument(Document):
    """A file that is not synced."""

    source: str
    path: str
    state: str = Field(description="what it waits for")
    reason: str
    needs_person: bool
    since_s: float | None
    next_try_s: float | None = Field(description="it is not tried again before")


class UnsettledFileDocument(Document):
    """A file that has not settled yet."""

    source: str
    path: str
    awaits: str = Field(description="what it waits for")
    since_s: float


class EndedRunDocument(Document):
    """A run of ours that has ended."""

    connection: str
    run: str
    outcome: str = Field(description="succeeded, partial or failed")
    started_s: float
    ended_s: float
    files: int = Field(description="changed files that it was to take")
    message: str = Field(description="the service's words")


class OutletDocument(Document):
    """The page, or a notification target."""

    name: str
    state: StateLine


class MachineDocument(Document):
    """One of the machines that share a journal on a server."""

    name: str
    state: StateLine
    connections: tuple[str, ...] = Field(description="what it serves")
    since_s: float | None = Field(description="since when it serves them; null: it does not run")


class StatusDocument(Document):
    """How everything stands, at one moment."""

    version: Literal[1]
    at_s: float
    in_sync: bool = Field(description="everything that can match was read and is proven")
    headline: StateLine = Field(description="the whole in a few words")
    running: bool = Field(description="a daemon keeps the journal now")
    unseen_since_s: float | None = Field(description="since when nobody looks at the drive")
    daemon: StateLine
    process: ProcessDocument | None = Field(description="null: no daemon was ever started")
    needs: tuple[NeedDocument, ...] = Field(description="what needs a person comes first")
    connections: tuple[ConnectionDocument, ...]
    files_not_synced: int
    files_unsettled: int = Field(description="not settled yet")
    unsettled_files: tuple[UnsettledFileDocument, ...] = Field(
        description="some files that have not settled yet, the longest first"
    )
    open_files: tuple[OpenFileDocument, ...] = Field(
        description="some files that are not synced; those that need a person come first"
    )
    last_runs: tuple[EndedRunDocument, ...] = Field(description="newest first")
    outlets: tuple[OutletDocument, ...]
    machines: tuple[MachineDocument, ...] = Field(
        description="those that share the journal; empty for a journal in a file"
    )


def status_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    return StatusDocument.model_json_schema(mode="serialization")
