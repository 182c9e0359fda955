"""One run's work on an iModel: read the sources, write one changeset, all or nothing.

Importing this module loads every connector, so only the worker process and tests import it. The
worker calls the three names in `__all__`.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import apsw

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, read_source, unreadable
from localtwin.imodel.changeset import recording, write_changeset
from localtwin.imodel.database import create_imodel, opened, savepoint, transaction
from localtwin.imodel.read import last_changeset_of, last_report
from localtwin.imodel.report import (
    Changes,
    ChangesetReport,
    JobOrder,
    JobReport,
    SourceError,
    SourceOrder,
    SourceReport,
    report_to_json,
)
from localtwin.imodel.synchronizer import Origin, Synchronizer
from localtwin.imodel.tally import Tally

__all__ = ["create_imodel", "last_report", "run_job"]
_EDITION_LENGTH = 12  # only has to differ from the one before


def run_job(order: JobOrder) -> JobReport:
    """Carry out `order`; the iModel is then wholly as before or wholly as after.

    A source that can't be read is reported and leaves what the iModel holds of it untouched.
    After a crash, last_changeset says which side of the commit the iModel is on; if it names
    the new changeset, the changeset file is complete. Raises FileNotFoundError without an
    iModel, OSError or apsw.Error when the disk fails; then nothing has changed.
    """
    with opened(order.imodel_file) as database, transaction(database):
        with recording(database) as session:
            sources: list[SourceReport] = []
            changes = Changes.NONE
            for source in order.sources:
                if order.at_work is not None:
                    order.at_work.write_text(source.source_id, encoding="utf-8")
                report, touched = _process(database, source)
                sources.append(report)
                changes |= touched
            if order.at_work is not None:
                order.at_work.unlink(missing_ok=True)
            parent_id = last_changeset_of(database)
            written = write_changeset(session, order.changeset_file, parent_id)
        changeset = _changeset_report(*written, parent_id, sources, changes)
        report_of_job = JobReport(tuple(sources), changeset)
        if changeset is not None:
            _log(database, changeset.id, report_of_job)
    return report_of_job


def _process(database: apsw.Connection, source: SourceOrder) -> tuple[SourceReport, Changes]:
    """Write one source into the iModel, or undo its changes and report why it failed."""
    work = _unmap if source.action == "unmap" else _bridge
    try:
        with savepoint(database):
            return work(database, source)
    except ConnectorError as exc:
        error = SourceError(exc.code, exc.message, exc.description, exc.category, exc.can_user_fix)
        return SourceReport(source.source_id, "Error", error=error), Changes.NONE


def _unmap(database: apsw.Connection, source: SourceOrder) -> tuple[SourceReport, Changes]:
    tally = Synchronizer(database).unmap(source.source_id)
    database.execute("DELETE FROM local_Read WHERE Source = ?", (source.source_id,))
    return _source_report(source, tally)


def _bridge(database: apsw.Connection, source: SourceOrder) -> tuple[SourceReport, Changes]:
    connector = connector_for(source.connector_type, source.name)
    digest, edition = _digest(source.file), _edition(connector.version, source.references)
    origin = Origin(source.source_id, source.name, connector.name, edition, digest)
    if _is_known(database, origin):
        return SourceReport(source.source_id, "Skipped"), Changes.NONE
    elements = read_source(connector, source.file, source.name)
    tally = Synchronizer(database).bridge(origin, elements)
    database.execute(
        "INSERT OR REPLACE INTO local_Read VALUES (?, ?)", (source.source_id, origin.digest)
    )
    return _source_report(source, tally)


def _source_report(source: SourceOrder, tally: Tally) -> tuple[SourceReport, Changes]:
    counts = (tally.elements.inserted, tally.elements.updated, tally.elements.deleted)
    return SourceReport(source.source_id, "Success", *counts), tally.changes


def _is_known(database: apsw.Connection, origin: Origin) -> bool:
    """Return whether these bytes, name and reader version are those that were read last."""
    row = database.execute(
        "SELECT Label, ConnectorName, ConnectorVersion, ifnull(Last.Digest, Source.Digest)"
        " FROM bis_ExternalSource AS Source"
        " LEFT JOIN local_Read AS Last ON Last.Source = Source.Identifier WHERE Identifier = ?",
        (origin.identifier,),
    ).fetchone()
    found = (origin.label, origin.connector_name, origin.connector_version, origin.digest)
    return row == found


def _edition(version: str, references: Sequence[Path]) -> str:
    """Return the version of a reading: the connector's, and a digest of the references."""
    if not references:
        return version
    digests = {file.name: _digest(file) for file in references if file.exists()}
    text = json.dumps(digests, sort_keys=True)
    return f"{version}+{hashlib.sha256(text.encode()).hexdigest()[:_EDITION_LENGTH]}"


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as exc:
        raise unreadable(f"The content can't be read: {exc.strerror}.") from exc


def _changeset_report(
    changeset_id: str,
    size_bytes: int,
    parent_id: str,
    sources: list[SourceReport],
    changes: Changes,
) -> ChangesetReport | None:
    if not changeset_id:
        return None
    return ChangesetReport(
        id=changeset_id,
        parent_id=parent_id,
        size_bytes=size_bytes,
        inserted=sum(source.inserted for source in sources),
        updated=sum(source.updated for source in sources),
        deleted=sum(source.deleted for source in sources),
        containing_changes=int(changes),
    )


def _log(database: apsw.Connection, changeset_id: str, report: JobReport) -> None:
    database.execute(
        "INSERT INTO local_Changeset VALUES (NULL, ?, ?)", (changeset_id, report_to_json(report))
    )
