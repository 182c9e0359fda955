"""Scans source folders for a verification: what is on the drive, and what could not be read."""

from __future__ import annotations

from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import FileKey, SourceRow
from .found_files import Drive
from .share_folder import ShareFolder


def scan_drive(drive: Drive, row: SourceRow, folder: ShareFolder) -> None:
    """Add what is found in a source's folder to `drive`.

    What lies below a drive that `row` remembers to be mounted inside, and that is away, is blind.
    """
    key = row.key
    for fact in folder.scan(Scan(key, "", drives_inside=row.drives_inside)):
        match fact:
            case FilesFound(_, files):
                drive.looks.update((FileKey(key, path), look) for path, look in files)
            case Scanned(blind=blind):
                spots = {FileKey(key, spot.path): spot.reason for spot in blind}
                drive.blind.update(spots)
            case ScanFailed(reason=reason):
                drive.offline[key] = reason
