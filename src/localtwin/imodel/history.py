"""The versions of an iModel: one after each changeset, and how to get the file of any of them."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from localtwin.imodel.changeset import apply_to, revert_in
from localtwin.imodel.database import (
    copy_database,
    create_imodel,
    opened,
    opened_to_read,
    transaction,
)
from localtwin.imodel.report import ChangesetReport, changeset_report_from_json

SEVERAL_FILES = "(all files of a run)"  # of a changeset that the first release wrote


class HistoryError(Exception):
    """The version does not exist, or its changesets are not beside the iModel."""


@dataclass(frozen=True, slots=True)
class Version:
    """The state after changeset `number`, counted from 1.

    `written` is in UTC, "" if the first release wrote it. `source` is the name of the source file
    if the iModel still has the source, else its id; SEVERAL_FILES for the first release.
    """

    number: int
    written: str
    source: str
    report: ChangesetReport


def versions(imodel_file: Path) -> list[Version]:
    """Return all versions, oldest first."""
    with opened_to_read(imodel_file) as database:
        names = dict(database.execute("SELECT Identifier, Label FROM bis_ExternalSource"))
        rows = database.execute("SELECT Number, Written, Report FROM local_Changeset ORDER BY 1")
        found: list[Version] = []
        for number, (_, written, text) in enumerate(rows, 1):
            report = changeset_report_from_json(str(text))
            source = str(names.get(report.source_id, report.source_id)) or SEVERAL_FILES
            found.append(Version(number, str(written or ""), source, report))
    return found


def version(imodel_file: Path, number: int | None) -> Version:
    """Return the version of that number, the newest for None; raises HistoryError."""
    found = versions(imodel_file)
    if not found:
        raise HistoryError("The iModel is empty: no run has written a changeset yet.")
    if number is None:
        return found[-1]
    if not 1 <= number <= len(found):
        raise HistoryError(f"There is no version {number}; the iModel has 1 to {len(found)}.")
    return found[number - 1]


def changeset_file(imodel_file: Path, wanted: Version) -> Path:
    """Return the file of the changeset that led to a version; raises HistoryError."""
    file = imodel_file.parent / "changesets" / wanted.report.id
    if not file.is_file():
        raise HistoryError(
            f"The changeset of version {wanted.number} is not there: {file} does not exist."
            " A checked-out copy has no changesets; use the iModel in localtwin's data folder."
        )
    return file


def checkout(imodel_file: Path, number: int | None, target: Path) -> Version:
    """Write the iModel as of a version to the new file `target`, wholly or not at all.

    Raises HistoryError, FileExistsError if `target` exists, FileNotFoundError without its folder,
    ConflictError if the history is damaged.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(target.parent))
    wanted = version(imodel_file, number)
    draft = target.with_name(f"{target.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        _write(imodel_file, wanted, draft)
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return wanted


@contextmanager
def at_version(imodel_file: Path, number: int | None) -> Iterator[apsw.Connection]:
    """Open a temporary copy of the iModel as of a version; raises as `checkout` does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.imodel"
        checkout(imodel_file, number, copy)
        with opened(copy) as database:
            yield database


def _write(imodel_file: Path, wanted: Version, draft: Path) -> None:
    """Go forward from the empty iModel or back from the newest, whichever is nearer."""
    every = versions(imodel_file)
    later = every[wanted.number :]
    if len(later) <= wanted.number:
        with opened_to_read(imodel_file) as database:
            copy_database(database, draft)
        with opened(draft) as copy, transaction(copy):
            for each in reversed(later):
                revert_in(copy, changeset_file(imodel_file, each))
            _forget_later(copy, wanted)
        return
    create_imodel(draft)
    with opened(draft) as copy, transaction(copy):
        for each in every[: wanted.number]:
            apply_to(copy, changeset_file(imodel_file, each))
        with opened_to_read(imodel_file) as database:
            rows = database.execute("SELECT * FROM local_Changeset").fetchall()
        copy.executemany("INSERT INTO local_Changeset VALUES (?, ?, ?, ?)", rows)
        _forget_later(copy, wanted)


def _forget_later(copy: apsw.Connection, wanted: Version) -> None:
    """Keep in a copy the list of changesets up to the version, and nothing of later runs."""
    copy.execute(
        "DELETE FROM local_Changeset"
        " WHERE Number > (SELECT Number FROM local_Changeset WHERE Id = ?)",
        (wanted.report.id,),
    )
    copy.execute("DELETE FROM local_Job")
    copy.execute("DELETE FROM local_Read")
