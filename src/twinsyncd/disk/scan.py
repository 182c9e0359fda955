"""Compares a source's folder with what the journal remembers of it.

Absence is not deletion: a folder that is offline, emptied, exchanged or remounted while it is
being read ends the scan with ScanFailed, and nothing is reported missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import SourceKey
from . import root
from .protocols import Known, Lister, PathFilter
from .walk import Walk

__all__ = ["Check", "Known", "PathFilter", "scan"]

Check = Callable[[Path, str], str]
"""Tells why a source's folder cannot be trusted; root.check, or what a test puts in its place."""


def scan(
    source: SourceKey,
    folder: Path,
    expected_identity: str,
    path_filter: PathFilter,
    known: Known,
    *,
    approved: bool = False,
    lister: Lister = os.scandir,
    check: Check = root.check,
    is_remote: Callable[[Path], bool] = root.is_network,
) -> Iterator[FilesFound | Scanned | ScanFailed]:
    """Yield FilesFound for what is new or different, then one Scanned or ScanFailed.

    The folder is checked before, between and after the parts; the moment it is missing, unreadable,
    another drive than `expected_identity` ("" accepts any), or empty where it was not, the scan
    ends with ScanFailed. Once a person `approved` the loss of files there, emptiness is believed.
    Holds one folder's entries in memory, and the names of the folders.
    """
    if reason := check(folder, expected_identity):
        another = _another_drive(folder, check)
        yield ScanFailed(source, reason, needs_person=another != "", drive=another)
        return
    walk = Walk(source, folder, path_filter, known, lister, believing=approved)
    try:
        identity = root.identity(folder)
        before = root.anchor(folder)
        changed = False
        for files in walk.parts():
            if changed := root.anchor(folder) != before:
                break
            yield FilesFound(source, files)
        changed = changed or root.anchor(folder) != before
    except OSError as exc:
        yield ScanFailed(source, f"{folder} cannot be read: {exc.strerror or exc}")
        return
    if reason := check(folder, identity):
        yield ScanFailed(source, reason)
    elif walk.distrust:
        lost = walk.remembered()
        yield ScanFailed(
            source, walk.distrust, needs_person=True, drive=identity, missing_count=lost
        )
    elif changed:
        yield ScanFailed(source, f"{folder} was replaced while it was being scanned")
    else:
        yield walk.closed(identity, remote=is_remote(folder))


def _another_drive(folder: Path, check: Check) -> str:
    """Return the identity of a drive that can be read and is not the expected one; else ""."""
    try:
        return "" if check(folder, "") else root.identity(folder)
    except OSError:
        return ""
