"""The single files that people read about: those that are not synced, and those still settling."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..core.file_changes import is_leftover
from ..core.model import ABSENT, FileRow, LaneRow, Phase, SourceKey
from ..core.progress import UnsettledFile
from ..journal.views import DaemonRow
from .formatting import duration, with_it

LEFT_OVER: Final = "not on the drive, but in the cloud"
NOT_THERE: Final = "not on the drive any more"
WAITS_FOR_RUN: Final = "waits for a run"
TWIN: Final = " has the name of "
REFUSED_NAME: Final = "which Storage refuses; rename it"
FOLLOWS: Final = "it takes the place of "
UNREAD: Final = "cannot be read"
_INCOMPLETE: Final = "it is incomplete"
_CANNOT: Final = "cannot read it: "
AWAITS_NAME: Final = "waits for its name in Storage"
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
    """A file that has not settled, since when, and what it waits for."""

    source: SourceKey
    path: str
    text: str  # since when and what it waits for, in a sentence
    awaits: str
    since_s: float = 0.0  # wall clock [s]


def open_file(row: FileRow, lane: LaneRow | None = None, now_s: float = 0.0) -> OpenFile:
    """Return a file that is not synced with its state in words, and the reason.

    `lane`: how the iModel's runs stand, if it is known. A next try before `now_s` (wall clock [s])
    is none any more.
    """
    is_aside = bool(row.unread or row.aside)
    needs_person = is_aside and not (row.is_open_elsewhere or FOLLOWS in row.unread)
    since_s = row.aside_since_s if is_aside else row.seen_s
    next_s = row.next_try_s if row.next_try_s > now_s else 0.0
    return OpenFile(
        row.key.source, row.key.path, *_open_state(row, lane), needs_person, since_s, next_s
    )


def run_state(lane: LaneRow | None) -> str:
    """Return what is true of the run for which a file is chosen."""
    if lane is None:
        return "its run is active, or asked for"
    if lane.phase is Phase.RUNNING:
        return "its run is active"
    is_asked = lane.phase is Phase.STARTING and lane.asks > 0
    return "its run is asked for" if is_asked else WAITS_FOR_RUN


def _unread_state(reason: str) -> tuple[str, str]:
    if FOLLOWS in reason:
        return AWAITS_NAME, reason
    if TWIN in reason or reason.startswith(_INCOMPLETE):
        return "set aside", reason
    return UNREAD, reason.removeprefix(_CANNOT)


def _open_state(row: FileRow, lane: LaneRow | None) -> tuple[str, str]:
    if row.is_open_elsewhere:
        return "waits until it is closed", with_it(row.unread, row.key.path)
    if row.unread:
        return _unread_state(with_it(row.unread, row.key.path))
    if is_leftover(row):
        return LEFT_OVER, row.aside
    if row.aside:
        return "set aside", with_it(row.aside, row.key.path)
    if row.covered:
        return run_state(lane), ""
    if row.seen == ABSENT:
        return "to be taken out of its connection", "it is gone from the drive"
    if row.moved_from == row.key:
        return "to be renamed in Storage", "somebody renamed or moved it there"
    if row.moved_from is not None:
        return "to be renamed in Storage", f"it was {row.moved_from.source}/{row.moved_from.path}"
    if row.seen != row.stored:
        return "to be uploaded", row.note
    return f"uploaded, {WAITS_FOR_RUN}", row.note


def without_gone_twins(
    open_files: Iterable[OpenFile], missing: Mapping[SourceKey, Collection[str]]
) -> tuple[OpenFile, ...]:
    """Return the files, of which those need no person whose twin is not on the drive any more.

    `missing`: what the last list of each source lacked.
    """
    return tuple(
        replace(each, state=AWAITS_NAME, reason=f"{FOLLOWS}{twin}, {_GONE}", needs_person=False)
        if (twin := _gone_twin(each, missing.get(each.source, ())))
        else each
        for each in open_files
    )


def as_last_listed(
    open_files: Iterable[OpenFile], missing: Mapping[SourceKey, Collection[str]]
) -> tuple[OpenFile, ...]:
    """Return the files, of which those say so that the last list of their source lacked.

    Nothing of such a file is uploaded any more, whatever it waited for.
    """
    return tuple(
        replace(each, state=NOT_THERE, reason=_UNCONFIRMED)
        if not each.needs_person and each.path in missing.get(each.source, ())
        else each
        for each in without_gone_twins(open_files, missing)
    )


_UNCONFIRMED: Final = "it counts as gone once a list a minute later lacks it"
_GONE: Final = "which is not on the drive any more, once that counts as gone"


def _gone_twin(file: OpenFile, missing: Collection[str]) -> str:
    if not file.needs_person or TWIN not in file.reason:
        return ""
    other = file.reason.partition(TWIN)[2].partition(" for Windows and")[0].replace("\\", "/")
    return next((path for path in missing if other.endswith(f"/{path}")), "")


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
