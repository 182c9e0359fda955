"""Why nobody knows whether a file is still as it was read, so that it may not be called synced."""

from __future__ import annotations

from ..core.model import FileKey
from .formatting import clock_time
from .report import Report
from .source_reports import Blind


def doubt(report: Report, key: FileKey) -> str:
    """Return why it is not known whether the file is as the journal says; "" if it is known."""
    if report.unseen_since_s:
        return f"changes on the drive since {clock_time(report.unseen_since_s)} are not known"
    unsettled = (f"{each.source}/{each.path}" for each in report.unsettled_files)
    if f"{key.source}/{key.path}" in unsettled:
        return "it is being written"
    for connection in report.connections:
        if key.source in connection.unlisted:
            return "its folder has not been looked at since the daemon started"
        for hold in connection.holds:
            if hold.source == key.source:
                return f"its source is held: {hold.reason}"
        for blind in connection.blind:
            if blind.source == key.source and _hides(blind, key.path):
                return f"it may lie where nobody can look: {'; '.join(blind.names)}"
    return ""


def _hides(blind: Blind, path: str) -> bool:
    """Return whether the file is in one of the examples that cannot be read."""
    return any(spot in (path, "", ".") or path.startswith(f"{spot}/") for spot in blind.paths)
