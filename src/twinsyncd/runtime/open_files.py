"""The single files that people read about: those that are not synced, and those being written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from ..core.file_changes import is_leftover
from ..core.model import ABSENT, FileRow, SourceKey, UnsettledFile
from ..journal.views import DaemonRow
from .formatting import duration, with_it

LEFT_OVER: Final = "not on the drive, but in the cloud"
AGAIN: Final = "it is being looked at once more"


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One file that is not synced, and what it waits for."""

    source: SourceKey
    path: str
    state: str
    reason: str
    needs_person: bool = False  # it was set aside, or cannot be read
    since_s: float = 0.0  # since when it is so; wall clock [s], 0: not known
    next_try_s: float = 0.0  # wall clock [s] before which it is not tried again


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A file that is still being written, since when, and what it waits for."""

    source: SourceKey
    path: str
    text: str  # since when and what it waits for, in a sentence
    awaits: str
    since_s: float = 0.0  # wall clock [s]


def open_file(row: FileRow) -> OpenFile:
    """Return a file that is not synced with its state in words, and the reason."""
    is_aside = bool(row.unread or row.aside)
    needs_person = is_aside and not row.is_open_elsewhere
    since_s = row.aside_since_s if is_aside else row.seen_s
    return OpenFile(
        row.key.source, row.key.path, *_open_state(row), needs_person, since_s, row.next_try_s
    )


def _open_state(row: FileRow) -> tuple[str, str]:
    if row.is_open_elsewhere:
        return "waits until it is closed", with_it(row.unread, row.key.path)
    if row.unread:
        return "cannot be read", with_it(row.unread, row.key.path)
    if is_leftover(row):
        return LEFT_OVER, row.aside
    if row.aside:
        return "set aside", with_it(row.aside, row.key.path)
    if row.covered:
        return "its run is active, or asked for", ""
    if row.seen == ABSENT:
        return "to be taken out of its connection", "it is gone from the drive"
    if row.moved_from == row.key:
        return "to be renamed in Storage", "somebody renamed or moved it there"
    if row.moved_from is not None:
        return "to be renamed in Storage", f"it was {row.moved_from.source}/{row.moved_from.path}"
    if row.seen != row.stored:
        return "to be uploaded", row.note
    return "uploaded, waits for a run", row.note


def unsettled_of(daemon: DaemonRow | None, now_s: float, *, running: bool) -> tuple[Unsettled, ...]:
    if daemon is None:
        return ()
    until_s = now_s if running else daemon.beat_s  # nobody has looked since then
    return tuple(_unsettled(each, until_s) for each in daemon.unsettled_files)


def _unsettled(file: UnsettledFile, until_s: float) -> Unsettled:
    awaits = with_it(file.awaits, file.path)
    since = f"for {duration(max(until_s - file.since_s, 0))}"
    return Unsettled(file.source, file.path, f"{since}: {awaits}", awaits, file.since_s)


def in_one_state(
    unsettled: Iterable[Unsettled], open_files: tuple[OpenFile, ...]
) -> tuple[set[Unsettled], tuple[OpenFile, ...]]:
    """Return the unsettled files that need a person already, and the open files that say so.

    After a restart, or once somebody saves it, a file that was set aside is looked at again.
    """
    troubled = {(each.source, each.path) for each in open_files if each.needs_person}
    again = {each for each in unsettled if (each.source, each.path) in troubled}
    names = {(each.source, each.path) for each in again}
    return again, tuple(
        replace(each, reason=f"{each.reason}; {AGAIN}")
        if (each.source, each.path) in names
        else each
        for each in open_files
    )
