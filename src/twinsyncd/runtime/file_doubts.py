"""Why nobody knows whether a file is still as it was read, so that it may not be called synced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..core.model import FileKey
from .formatting import clock_time, count, some_of
from .missing_files import MissingFiles
from .report import Report
from .source_reports import Blind

NAMED: Final = 5  # files that are still settling, of one folder


def doubt(report: Report, key: FileKey) -> str:
    """Return why it is not known whether a file is as the journal says; "" if it is known.

    `key` may also name a folder: then of all files below it; the path "" is the whole source.
    """
    if report.unseen_since_s:
        return f"changes on the drive since {clock_time(report.unseen_since_s)} are not known"
    if awaits := unsettled_since(report, key) or _written_below(report, key):
        return awaits
    if unnamed := report.unsettled - len(report.unsettled_files):
        return f"perhaps it is one of {unnamed:,} more files that are still settling"
    for connection in report.connections:
        if gone := _missing(connection.missing, key):
            return gone
        if key.source in connection.unlisted:
            return "its folder has not been looked at since the daemon started"
        for hold in connection.holds:
            if hold.source == key.source:
                return f"its source is held: {hold.reason}"
        for blind in connection.blind:
            if blind.source == key.source and _hides(blind, key.path):
                return f"it may lie where nobody can look: {'; '.join(blind.names)}"
    return ""


def unsettled_since(report: Report, key: FileKey) -> str:
    """Return since when a file has not settled, and what it waits for; "" if it is not."""
    found = (each for each in report.unsettled_files if (each.source, each.path) == tuple(key))
    return next((f"it has not settled {each.text}" for each in found), "")


def is_within(key: FileKey, wanted: FileKey) -> bool:
    """Return whether a file is the wanted one, or lies below the wanted folder."""
    if key.source != wanted.source:
        return False
    return not wanted.path or key == wanted or key.path.startswith(f"{wanted.path}/")


def _written_below(report: Report, folder: FileKey) -> str:
    """Return which files below a folder are still settling, of those that are named."""
    files = report.unsettled_files
    below = [each.path for each in files if is_within(FileKey(each.source, each.path), folder)]
    if not below:
        return ""
    names = some_of(below[:NAMED], len(below))
    return f"{count(len(below), 'file')} in it still settling: {names}"


def _missing(found: Iterable[MissingFiles], wanted: FileKey) -> str:
    """Return what follows for a missing file, or for those below a folder; "" if none is."""
    for each in found:
        if each.source != wanted.source:
            continue
        keys = [FileKey(each.source, path) for path in each.paths]
        if wanted in keys:
            return f"it is not on the drive any more; {each.outlook}"
        below = sum(is_within(key, wanted) for key in keys)
        if below:
            return f"{count(below, 'file')} in it not on the drive any more; {each.outlook}"
        if not keys:
            return f"perhaps it is one of {each.text}"
    return ""


def unknown(report: Report, key: FileKey) -> str:
    """Return why the journal does not know a file that a pattern takes."""
    if awaits := unsettled_since(report, key):
        return awaits
    named = len(report.unsettled_files)
    if report.unsettled > named:
        return f"not known yet: perhaps one of {report.unsettled:,} files that are still settling"
    if doubted := doubt(report, key):
        return f"no content of it was ever known, and {doubted}"
    return (
        "not found: no scan has seen such a file. Check the path; a file that was saved within"
        " the last seconds is seen by the next look"
    )


def _hides(blind: Blind, path: str) -> bool:
    """Return whether the file is in one of the examples that cannot be read."""
    return any(spot in (path, "", ".") or path.startswith(f"{spot}/") for spot in blind.paths)
