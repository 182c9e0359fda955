"""What a job is asked to do and what it reports, as values and as JSON."""

import json
from dataclasses import asdict, dataclass
from enum import IntFlag
from pathlib import Path
from typing import Any, Literal

Result = Literal["Success", "Skipped", "Error", "TimedOut"]
Action = Literal["bridge", "unmap"]


class Changes(IntFlag):
    """Kinds of content that a changeset touches.

    Source: iModels API, "Changeset", property containingChanges.
    """

    NONE = 0
    SCHEMA = 1
    DEFINITION = 2
    SPATIAL_DATA = 4
    SHEETS_AND_DRAWINGS = 8
    VIEWS_AND_MODELS = 16
    GLOBAL_PROPERTIES = 32


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """One source file of a run; `name` gives the format, `file` may be called anything.

    `source_id` stays with the source for life. The action "unmap" removes all it contributed
    and does not look at `file`. `references` are beside it, under the names it knows them by;
    one that can't be had is not there.
    """

    source_id: str
    name: str
    file: Path
    connector_type: str
    action: str = "bridge"
    references: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A run's work; `changeset_file` is only written when there is something to write.

    `at_work` names the source being read, for whoever survives a crash of its reader.
    """

    imodel_file: Path
    changeset_file: Path
    sources: tuple[SourceOrder, ...]
    at_work: Path | None = None


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why a source file did not get in, in words for the person who owns it."""

    code: str
    message: str
    description: str
    category: str
    can_user_fix: bool


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one source file; counts are in elements."""

    source_id: str
    result: Result
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class ChangesetReport:
    """The run's changeset; counts are in elements, `containing_changes` is a set of Changes."""

    id: str
    parent_id: str
    size_bytes: int
    inserted: int
    updated: int
    deleted: int
    containing_changes: int


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did: one report for each source in the order given, and the changeset if any."""

    sources: tuple[SourceReport, ...]
    changeset: ChangesetReport | None


def order_from_json(text: str | bytes) -> JobOrder:
    """Return the order in `text`; raises ValueError, KeyError or TypeError if it is not one."""
    value = json.loads(text)
    sources = (_source_order(entry) for entry in value["sources"])
    return JobOrder(
        imodel_file=Path(value["imodel_file"]),
        changeset_file=Path(value["changeset_file"]),
        sources=tuple(sources),
        at_work=Path(value["at_work"]) if value.get("at_work") else None,
    )


def _source_order(entry: dict[str, Any]) -> SourceOrder:
    references = tuple(Path(file) for file in entry.get("references", ()))
    return SourceOrder(**{**entry, "file": Path(entry["file"]), "references": references})


def order_to_json(order: JobOrder) -> str:
    """Return `order` as order_from_json reads it."""
    return json.dumps(asdict(order), default=str)


def report_from_json(text: str | bytes) -> JobReport:
    """Return the report in `text`, as report_to_json wrote it."""
    value = json.loads(text)
    changeset = value["changeset"]
    return JobReport(
        sources=tuple(_source_report(entry) for entry in value["sources"]),
        changeset=None if changeset is None else ChangesetReport(**changeset),
    )


def report_to_json(report: JobReport) -> str:
    """Return `report` as one line of JSON."""
    return json.dumps(asdict(report))


def _source_report(entry: dict[str, object]) -> SourceReport:
    error = entry.pop("error")
    given = SourceError(**error) if isinstance(error, dict) else None
    return SourceReport(**entry, error=given)  # type: ignore[arg-type]  # our own JSON
