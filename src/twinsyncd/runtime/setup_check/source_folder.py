"""Examines one source on its own threads: what it matches, what cannot be read, how it is watched.

A share that hangs ends the examination of its source after SILENCE_S, and delays no other.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from ...config import Config, Connection, Source
from ...connectors import connectors_for
from ...core.commands import Scan
from ...core.facts import FilesFound, ScanFailed, Scanned
from ...core.match import Matcher
from ...core.model import BlindSpot
from ...core.pattern_advice import idle_patterns, likely_mistake
from ...disk.folder_count import count_folders
from ...disk.root import filesystem_of
from ...disk.tree import Tree
from ...errors import DiskError, ShareSilent
from ..share_folder import ShareFolder
from ..smb_wiring import why_unwatched
from ..wiring import open_folder
from .known import NothingKnown

SILENCE_S: Final = 20.0  # a disk that spins up answers within this; a person waits no longer
SURVEY_MAX: Final = 20_000  # names read to explain a pattern
READ_MAX: Final = 1_000  # files opened to see whether the account may; one each costs a round trip
READ_S: Final = 20.0
FOLDERS_MAX: Final = 2_000_000


@dataclass(slots=True)
class ExaminedSource:
    """What one source folder holds; `failed` says why it cannot be read at all.

    `unreadable`: files that can be listed but not opened, with the reason. `ambiguous`: how many
    source files of each ending several connectors could read, of `endings` kinds in all.
    `misread`: how many of each ending the configured connector does not read, so far as is known.
    `idle`: patterns that take no file, and why. `folders`: how many can hold a match; counted on
    local disks only.
    """

    kinds: Counter[str | None] = field(default_factory=Counter)
    paths: list[str] = field(default_factory=list)
    blind: tuple[BlindSpot, ...] = ()
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    remote: bool = False  # other hosts change it without this one noticing
    filesystem: str = ""
    folders: int = 0
    failed: str = ""
    idle: dict[str, str] = field(default_factory=dict)
    ambiguous: Counter[str] = field(default_factory=Counter)
    endings: int = 0
    misread: Counter[str] = field(default_factory=Counter)
    reports: str | None = None  # why its server reports no changes; "": it does; None: not asked


def examine(config: Config, connection: Connection, source: Source) -> ExaminedSource:
    """Return what the source holds; takes as long as its folder, at most SILENCE_S in silence."""
    key = connection.key_of(source)
    folder = open_folder(_impatient(config), key, source, NothingKnown())
    matcher, found = source.matcher(), ExaminedSource()
    for fact in folder.scan(Scan(key, "")):
        match fact:
            case FilesFound(_, files):
                found.paths += [path for path, _ in files]
            case ScanFailed(reason=reason):
                found.failed = reason
            case Scanned(blind=blind, remote=remote):
                found.blind, found.remote = blind, remote
    found.kinds.update(matcher.kind(path) for path in found.paths)
    if not found.failed:
        try:
            _look_closer(found, source, folder)
        except DiskError as exc:
            found.failed = str(exc)
    return found


def _look_closer(found: ExaminedSource, source: Source, folder: ShareFolder) -> None:
    """Find out what needs more than a scan. Raises DiskError if the share stops answering."""
    matcher, threads, paths = source.matcher(), folder.threads, found.paths
    found.filesystem = threads.call(partial(filesystem_of, source.folder))
    if source.smb.credentials_file is not None:
        found.reports = threads.call(partial(why_unwatched, source))
    elif not found.remote:
        tree = Tree(source.folder, threads.note_progress)
        found.folders = threads.call(partial(count_folders, tree, matcher, FOLDERS_MAX))
    found.unreadable = _unreadable(folder, paths)
    _count_endings(found, source, matcher, paths)
    if idle := idle_patterns(matcher, paths):
        there = _surveyed(folder)
        found.idle = {text: likely_mistake(matcher, text, there) for text in idle}


def _unreadable(folder: ShareFolder, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return the files that cannot be opened, of the first READ_MAX, for READ_S at most."""
    end_s = time.monotonic() + READ_S
    found = []
    for path in paths[:READ_MAX]:
        try:
            folder.threads.call(partial(folder.folder.try_reading, path))
        except ShareSilent:
            raise
        except DiskError as exc:
            found.append((path, str(exc)))
        if time.monotonic() > end_s:
            break
    return found


def _count_endings(
    found: ExaminedSource, source: Source, matcher: Matcher, paths: Sequence[str]
) -> None:
    if source.rows.entity:
        return
    names = (path.rpartition("/")[2].lower() for path in paths if matcher.kind(path) == "source")
    endings = Counter("." + name.rpartition(".")[2] for name in names)
    if source.connector != "auto":
        found.misread = Counter(
            {
                each: number
                for each, number in endings.items()
                if (readers := connectors_for(f"x{each}")) and source.connector not in readers
            }
        )
        return
    found.endings = len(endings)
    found.ambiguous = Counter(
        {each: number for each, number in endings.items() if len(connectors_for(f"x{each}")) > 1}
    )


def _surveyed(folder: ShareFolder) -> list[str]:
    try:
        return folder.survey(SURVEY_MAX)
    except DiskError:
        return []  # it stopped answering since the scan


def _impatient(config: Config) -> Config:
    silence = min(config.daemon.share_silence, timedelta(seconds=SILENCE_S))
    daemon = config.daemon.model_copy(update={"share_silence": silence})
    return config.model_copy(update={"daemon": daemon})
