"""Compares a source's folder with what the journal remembers of it.

Absence is not deletion: a folder that is offline, emptied, exchanged or remounted while it is
being read ends the scan with ScanFailed, and nothing is reported missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import SourceKey
from . import mounts, root
from .folder_digests import FolderDigests
from .listing_ahead import Submit
from .nested import NestedDrives
from .protocols import Known, PathFilter
from .stuck import StuckPlaces
from .tree import Lister, Tree
from .walk import Walk

Check = Callable[[Path, str], str]
"""Returns why a source's folder cannot be trusted; root.check, or a replacement of a test."""


def scan(
    command: Scan,
    tree: Tree,
    path_filter: PathFilter,
    known: Known,
    *,
    lister: Lister = Tree.list,
    check: Check = root.check,
    is_remote: Callable[[Path], bool] = root.is_network,
    listed: root.Mounts = mounts.listed,
    digests: FolderDigests | None = None,
    submit: Submit | None = None,
    stuck: StuckPlaces | None = None,
) -> Iterator[FilesFound | Scanned | ScanFailed]:
    """Yield FilesFound for what is new or different, then one Scanned or ScanFailed.

    The folder is checked before, between and after the parts; the moment it is missing, unreadable,
    another drive than `command.identity` ("" accepts any), or empty where it was not, the scan
    ends with ScanFailed. Once a person `approved` the loss of files there, emptiness is believed.
    Holds a few folders' entries in memory, and all folders' names. `digests` is what the scan
    before left, and is brought up to date. `submit` gives a slow drive's threads something to do.
    What is `stuck` is not listed, but blind.
    """
    source, folder = command.source, tree.folder
    if reason := check(folder, command.identity):
        another = _another_drive(folder, check)
        yield ScanFailed(source, reason, needs_person=another != "", drive=another)
        return
    try:
        identity = root.identity(folder)
        before = root.anchor(folder)
        walk = Walk(
            source,
            tree,
            path_filter,
            known,
            nested := NestedDrives(folder, dict(command.drives_inside), listed=listed),
            lister=lister,
            believing=command.approved,
            digests=digests,
            submit=submit,
            stuck=stuck or StuckPlaces(),
        )
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
        yield _distrusted(source, walk, identity)
    elif changed:
        yield ScanFailed(source, f"{folder} was replaced while it was being scanned")
    else:
        yield walk.closed(identity, remote=_any_remote(folder, nested, is_remote))


def _distrusted(source: SourceKey, walk: Walk, identity: str) -> ScanFailed:
    lost = walk.remembered()
    return ScanFailed(source, walk.distrust, needs_person=True, drive=identity, missing_count=lost)


def _any_remote(folder: Path, nested: NestedDrives, is_remote: Callable[[Path], bool]) -> bool:
    """Return whether other hosts can write there unnoticed, also on a drive mounted inside."""
    return is_remote(folder) or any(is_remote(folder / path) for path in nested.found)


def _another_drive(folder: Path, check: Check) -> str:
    """Return the identity of a drive that can be read and is not the expected one; else ""."""
    try:
        return "" if check(folder, "") else root.identity(folder)
    except OSError:
        return ""
