"""The order for a job and its report, as values and as JSON."""

import json
from dataclasses import asdict, dataclass, field
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

    `source_id` never changes. The action "unmap" removes all that the source contributed and
    does not read `file`. `references` are in the same folder, under the names that the file uses;
    those that are missing are left out.
    """

    source_id: str
    name: str
    file: Path
    connector_type: str
    action: str = "bridge"
    references: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A run's work; `changesets` is the folder that each changeset is written to, under its id.

    `at_work` names the source being read, so that a crash of the reader can be put down to a file.
    `coordinate_system` is the registered one that the iModel lies in, "" if it has none so far.
    """

    imodel_file: Path
    changesets: Path
    sources: tuple[SourceOrder, ...]
    at_work: Path | None = None
    coordinate_system: str = ""


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why a source file could not be synchronized, for the person who owns it."""

    code: str
    message: str
    description: str
    category: str
    can_user_fix: bool


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The result of one source file; counts are of elements unless named otherwise.

    `before` and `after` are the elements the iModel holds of the source. `remarks` are sentences
    for people: what was read and what not, and whether much is gone. `duration_s` is how long the
    source took. `coordinate_system` is the registered one that the source lies in, "" if none.
    """

    source_id: str
    result: Result
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    error: SourceError | None = None
    relationships_inserted: int = 0
    relationships_updated: int = 0
    relationships_deleted: int = 0
    before: int = 0
    after: int = 0
    remarks: tuple[str, ...] = ()
    coordinate_system: str = ""
    duration_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class ChangesetReport:
    """The changeset of one source; counts are in elements.

    `containing_changes` is a set of Changes. `source_id` is "" in reports of the first release,
    whose changesets had all sources of a run.
    """

    id: str
    parent_id: str
    size_bytes: int
    inserted: int
    updated: int
    deleted: int
    containing_changes: int
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did: a report for each source, and a changeset for each that had changes.

    Both are in the order of the job's sources.
    """

    sources: tuple[SourceReport, ...]
    changesets: tuple[ChangesetReport, ...] = ()


def order_from_json(text: str | bytes) -> JobOrder:
    """Return the order in `text`; raises ValueError, KeyError or TypeError if it is not one."""
    value = json.loads(text)
    sources = (_source_order(entry) for entry in value["sources"])
    return JobOrder(
        imodel_file=Path(value["imodel_file"]),
        changesets=Path(value["changesets"]),
        sources=tuple(sources),
        at_work=Path(value["at_work"]) if value.get("at_work") else None,
        coordinate_system=value.get("coordinate_system", ""),
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
    return JobReport(
        sources=tuple(_source_report(entry) for entry in value["sources"]),
        changesets=tuple(ChangesetReport(**entry) for entry in value["changesets"]),
    )


def report_to_json(report: JobReport) -> str:
    """Return `report` as one line of JSON."""
    return json.dumps(asdict(report))


def changeset_report_from_json(text: str | bytes) -> ChangesetReport:
    """Return the report in `text`, as changeset_report_to_json wrote it."""
    return ChangesetReport(**json.loads(text))


def changeset_report_to_json(report: ChangesetReport) -> str:
    """Return `report` as one line of JSON."""
    return json.dumps(asdict(report))


def _source_report(entry: dict[str, Any]) -> SourceReport:
    error = entry["error"]
    given = None if error is None else SourceError(**error)
    return SourceReport(**{**entry, "error": given, "remarks": tuple(entry.get("remarks", ()))})
