"""Reads the sources, checksums and job reports of an iModel."""

from collections.abc import Iterator
from pathlib import Path

import apsw

from localtwin.imodel.database import opened
from localtwin.imodel.report import JobReport, report_from_json


def content(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (source id, identifier, checksum) of every element, in that order."""
    with opened(file) as database:
        yield from database.execute(
            "SELECT Source.Identifier, Aspect.Identifier, Checksum"
            " FROM bis_ExternalSourceAspect AS Aspect"
            " JOIN bis_ExternalSource AS Source ON Source.Id = Aspect.SourceId ORDER BY 1, 2"
        )


def sources(file: Path) -> Iterator[tuple[str, str, str, int]]:
    """Yield (source id, name, digest of its content, number of elements) of every source.

    The digest is that of the content which last changed an element.
    """
    with opened(file) as database:
        yield from database.execute(
            "SELECT Identifier, Label, Digest, (SELECT count(*) FROM bis_ExternalSourceAspect"
            " AS Aspect WHERE Aspect.SourceId = Source.Id)"
            " FROM bis_ExternalSource AS Source ORDER BY 1"
        )


def last_changeset(file: Path) -> str:
    """Return the id of the newest changeset written into `file`, "" if there is none."""
    with opened(file) as database:
        return last_changeset_of(database)


def last_changeset_of(database: apsw.Connection) -> str:
    """Return the id of the newest changeset as `database` sees it now, "" if there is none."""
    query = "SELECT Id FROM local_Changeset ORDER BY Number DESC LIMIT 1"
    return str(database.execute(query).get or "")


def last_report(file: Path) -> JobReport | None:
    """Return the report of the job that wrote the newest changesets.

    So a job that was killed between its commit and its answer still has one.
    """
    with opened(file) as database:
        query = "SELECT Report FROM local_Job ORDER BY Number DESC LIMIT 1"
        report = database.execute(query).get
    return None if report is None else report_from_json(report)
