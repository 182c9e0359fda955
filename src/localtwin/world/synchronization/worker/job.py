"""One run's work on an iModel: read the sources, write a changeset for each, all or nothing.

Importing this module loads every connector, so only the worker process and tests import it. The
worker calls the three names in `__all__`.
"""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import apsw

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError, read_source, unreadable
from localtwin.imodel.changeset import Recording, recording, write_changeset
from localtwin.imodel.database import create_imodel, opened, savepoint, transaction
from localtwin.imodel.held_shapes import SourceShapes
from localtwin.imodel.memory import load_memory, save_memory
from localtwin.imodel.picture_files import picture_of
from localtwin.imodel.pictures import svg
from localtwin.imodel.plan import plan_of_changeset, plan_of_new_source
from localtwin.imodel.read import last_changeset_of, last_report
from localtwin.imodel.remarks import loss_remarks, relationship_remarks
from localtwin.imodel.report import (
    Changes,
    ChangesetReport,
    JobOrder,
    JobReport,
    SourceError,
    SourceOrder,
    SourceReport,
    changeset_report_to_json,
    report_to_json,
)
from localtwin.imodel.synchronizer import Origin, Synchronizer
from localtwin.imodel.tally import Tally

__all__ = ["create_imodel", "last_report", "run_job"]
log = logging.getLogger(__name__)

_EDITION_LENGTH = 12  # only has to differ from the one before


def run_job(order: JobOrder) -> JobReport:
    """Carry out `order`; the iModel is then wholly as before or wholly as after.

    Each source that changed something gets a changeset of its own. A source that can't be read is
    reported and leaves what the iModel holds of it untouched. After a crash, last_changeset says
    which side of the commit the iModel is on; if it names a new changeset, the files of all are
    complete. Raises FileNotFoundError without an iModel, OSError or apsw.Error when the disk
    fails; then nothing has changed.
    """
    order.changesets.mkdir(exist_ok=True)
    with opened(order.imodel_file) as database, transaction(database):
        sources: list[SourceReport] = []
        changesets: list[ChangesetReport] = []
        system = order.coordinate_system
        for source in order.sources:
            if order.at_work is not None:
                order.at_work.write_text(source.source_id, encoding="utf-8")
            began_s = time.monotonic()
            report, changeset = _process(database, source, order.changesets, system)
            system = system or report.coordinate_system
            sources.append(replace(report, duration_s=time.monotonic() - began_s))
            if changeset is not None:
                changesets.append(changeset)
        if order.at_work is not None:
            order.at_work.unlink(missing_ok=True)
        report_of_job = JobReport(tuple(sources), tuple(changesets))
        if changesets:
            query = "INSERT INTO local_Job VALUES (NULL, ?)"
            database.execute(query, (report_to_json(report_of_job),))
    return report_of_job


def _process(
    database: apsw.Connection, source: SourceOrder, folder: Path, coordinate_system: str
) -> tuple[SourceReport, ChangesetReport | None]:
    """Write one source into the iModel, or undo its changes and report why it failed."""
    work = _unmap if source.action == "unmap" else partial(_bridge, system=coordinate_system)
    with recording(database) as recorded:
        try:
            with savepoint(database):
                report, changes = work(database, source, recorded)
        except ConnectorError as exc:
            error = SourceError(
                exc.code, exc.message, exc.description, exc.category, exc.can_user_fix
            )
            return SourceReport(source.source_id, "Error", error=error), None
        parent_id = last_changeset_of(database)
        changeset_id, size_bytes = write_changeset(recorded, folder, parent_id)
    if not changeset_id:
        return report, None
    changeset = ChangesetReport(
        id=changeset_id,
        parent_id=parent_id,
        size_bytes=size_bytes,
        inserted=report.inserted,
        updated=report.updated,
        deleted=report.deleted,
        containing_changes=int(changes),
        source_id=source.source_id,
    )
    _log(database, changeset)
    _draw(database, source, report, folder / changeset_id)
    return report, changeset


def _draw(
    database: apsw.Connection, source: SourceOrder, report: SourceReport, changeset_file: Path
) -> None:
    """Write a picture beside the changeset; without one, the page shows none."""
    try:
        if report.before:
            plan = plan_of_changeset(database, changeset_file)
        else:
            plan = plan_of_new_source(database, source.source_id, report.inserted)
        picture_of(changeset_file).write_text(svg(plan, source.name), encoding="utf-8")
    except Exception:  # no defect of a drawing may undo the run that it shows
        log.exception("changeset.not_drawn changeset=%s", changeset_file.name)


def _unmap(
    database: apsw.Connection, source: SourceOrder, recorded: Recording
) -> tuple[SourceReport, Changes]:
    tally = Synchronizer(database, recorded.flush).unmap(source.source_id)
    database.execute("DELETE FROM local_Read WHERE Source = ?", (source.source_id,))
    save_memory(database, source.source_id, "", b"")
    return _source_report(source, tally)


def _bridge(
    database: apsw.Connection, source: SourceOrder, recorded: Recording, *, system: str
) -> tuple[SourceReport, Changes]:
    connector = connector_for(source.connector_type, source.name)
    digest, edition = _digest(source.file), _edition(connector.version, source.references)
    origin = Origin(source.source_id, source.name, connector.name, edition, digest)
    if _is_known(database, origin):
        return SourceReport(source.source_id, "Skipped"), Changes.NONE
    connector.build_shapes(
        SourceShapes(database, origin.identifier, origin.connector_name, origin.connector_version)
    )
    reader = f"{origin.connector_name} {origin.connector_version}"
    connector.place_in(system)
    connector.resume(load_memory(database, origin.identifier, reader))
    items = read_source(connector, source.file, source.name)
    tally = Synchronizer(database, recorded.flush).bridge(origin, items)
    memory = b"" if tally.unresolved else connector.memory()  # the next report names those, too
    save_memory(database, origin.identifier, reader, memory)
    database.execute(
        "INSERT OR REPLACE INTO local_Read VALUES (?, ?)", (source.source_id, origin.digest)
    )
    remarks = (*loss_remarks(tally), *relationship_remarks(tally), *connector.remarks())
    return _source_report(source, tally, remarks)


def _source_report(
    source: SourceOrder, tally: Tally, remarks: Sequence[str] = ()
) -> tuple[SourceReport, Changes]:
    elements, relationships = tally.elements, tally.relationships
    report = SourceReport(
        source.source_id,
        "Success",
        inserted=elements.inserted,
        updated=elements.updated,
        deleted=elements.deleted,
        relationships_inserted=relationships.inserted,
        relationships_updated=relationships.updated,
        relationships_deleted=relationships.deleted,
        before=tally.before,
        after=tally.after,
        remarks=tuple(remarks),
        coordinate_system=tally.coordinate_system,
    )
    return report, tally.changes


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
    except FileNotFoundError as exc:
        raise ConnectorError(
            code="FileNotAvailable",
            message="The file is not in Storage any more, or was never completely uploaded.",
            description="Restore it or upload it again, or remove it from the connection.",
            category="source_file",
            can_user_fix=True,
        ) from exc
    except OSError as exc:
        raise unreadable(f"The content can't be read: {exc.strerror}.") from exc


def _log(database: apsw.Connection, changeset: ChangesetReport) -> None:
    written = datetime.now(UTC).isoformat(timespec="seconds")
    database.execute(
        "INSERT INTO local_Changeset VALUES (NULL, ?, ?, ?)",
        (changeset.id, changeset_report_to_json(changeset), written),
    )
