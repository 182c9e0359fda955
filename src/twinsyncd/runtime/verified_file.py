"""The verdict on one file, from what was found on the drive and in the cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Final

from ..core.facts import Differs
from ..core.file_changes import is_leftover, is_proven
from ..core.model import (
    ABSENT,
    IN_DOUBT,
    MAY_STAY,
    STAYS,
    FileKey,
    FileRow,
    SourceKey,
    is_as_remembered,
)
from ..core.results import Outcome, RunFile
from ..core.safety import CONFIRM_S
from ..errors import DiskError
from .formatting import clock_time
from .found_files import Cloud, Drive, JournalEntry

SHOWN: Final = 12  # characters of a changeset's id
SYNC: Final = "twinsyncd sync"


class Verdict(StrEnum):
    """Whether the iModel has what is on the drive."""

    CURRENT = "current"
    KEPT = "kept"  # not on the drive any more; it stays in the iModel
    NOT_CURRENT = "not current"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """One file, step by step in words; `next_step`: what to do if it is not current.

    `spatial_root`: it is to decide where the iModel lies. `records`: of a bulk connection's file,
    how many the service acknowledged; such a file has nothing in Storage and no run.
    """

    source: SourceKey
    path: str
    drive: str
    storage: str
    source_file: str
    run: str
    changeset: str
    verdict: Verdict
    next_step: str = ""
    spatial_root: bool = False
    records: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """What was found at one step; `verdict` is CURRENT where it agrees.

    `decides`: whatever the others found, since a sync does nothing about the file.
    """

    text: str
    verdict: Verdict = Verdict.CURRENT
    next_step: str = ""
    decides: bool = False


def judge(
    key: FileKey,
    entry: JournalEntry,
    drive: Drive,
    cloud: Cloud,
    digest: Callable[[], str] | None,
) -> VerifiedFile:
    """Return the verdict; `digest` reads the file on the drive now, None: its look decides.

    What only reading finds, a sync does not: a person asks for that file.
    """
    row, evidence = entry.row, entry.evidence
    first = _on_drive(key, row, drive, digest)
    if row is None:
        return VerifiedFile(
            key.source, key.path, first.text, "", "", "", "", first.verdict, first.next_step
        )
    storage, source_file = _in_storage(row, cloud), _in_connection(row, cloud)
    run, changeset = _in_run(row, evidence), _in_imodel(evidence, cloud)
    worst = _worst((_trouble(row), first, storage, source_file, run, changeset))
    next_step = worst.next_step
    if digest is not None and next_step == SYNC and is_proven(row):
        next_step = f"twinsyncd retry {quote(f'{key.source}/{key.path}')}"
    return VerifiedFile(
        key.source,
        key.path,
        first.text,
        storage.text,
        source_file.text,
        run.text,
        changeset.text,
        worst.verdict,
        next_step,
    )


def _worst(steps: Sequence[_Step]) -> _Step:
    """Return the step that decides: the first of the worst.

    A file that is kept is never current: only what is not known of it counts.
    """
    for step in steps:
        if step.decides:
            return step
    is_kept = any(step.verdict is Verdict.KEPT for step in steps)
    order = (Verdict.UNKNOWN, Verdict.KEPT) if is_kept else (Verdict.NOT_CURRENT, Verdict.UNKNOWN)
    for verdict in order:
        for step in steps:
            if step.verdict is verdict:
                return step
    return steps[0]


def _on_drive(
    key: FileKey, row: FileRow | None, drive: Drive, digest: Callable[[], str] | None
) -> _Step:
    unread = drive.unread(key)
    if unread:
        found, _, advice = unread.partition("; ")
        fix = advice or (_BRING_BACK if key.source in drive.offline else "make it readable")
        return _Step(f"not read: {found}", Verdict.UNKNOWN, fix)
    look = drive.looks.get(key)
    if key in drive.left_out and row is not None:
        return _left_out(row, drive.left_out[key])
    if look is None and row is not None and is_leftover(row):
        return _Step("not there", Verdict.NOT_CURRENT, _TAKE_OUT)
    if look is None and row is not None and row.seen != ABSENT:
        text = "not there any more, which a sync has not decided yet"
        return _Step(text, Verdict.UNKNOWN, _decided_by(drive.missed_s.get(key)))
    if look is None:
        stays = f"; {MAY_STAY}" if row is not None and row.note == STAYS else ""
        return _Step(f"not there any more{stays}", Verdict.KEPT)
    if row is None or row.synced == ABSENT:
        return _Step("not synced yet", Verdict.NOT_CURRENT, SYNC)
    if digest is None:
        same = is_as_remembered(look, row.fingerprint) and row.seen == row.synced
        return _Step("same size and time") if same else _CHANGED
    try:
        return _Step("same content") if digest() == row.synced else _CHANGED
    except DiskError as exc:
        return _Step(f"not read: {exc}", Verdict.UNKNOWN, "make it readable")


def _decided_by(missed_s: float | None) -> str:
    """Return which sync decides that a file is gone: two lists a minute apart must lack it."""
    if missed_s is None:
        return f"{SYNC}, and once more a minute later"
    return f"{SYNC}, after {clock_time(missed_s + CONFIRM_S)}"


def _left_out(row: FileRow, why: str) -> _Step:
    """Return the step of a file that is there and not taken; kept if a person forgot it."""
    text = f"there, but the configuration leaves it out: {why}"
    if row.in_connection:
        return _Step(text, Verdict.NOT_CURRENT, _TAKE_IN, decides=True)
    return _Step(text, Verdict.KEPT)


_BRING_BACK: Final = "connect the drive, or see whether its server runs and can be reached"
_TAKE_IN: Final = (
    "if it is to be synced, correct include and exclude of its source; "
    "else: twinsyncd forget PATH, or forget --delete PATH"
)
_TAKE_OUT: Final = "put it back on the drive, or: twinsyncd forget --delete PATH"
_FAILED_LATER: Final = "mend the file and save it again; the next run processes it in any case"
_CHANGED: Final = _Step("changed since it was synced", Verdict.NOT_CURRENT, SYNC)
_NOT_MENDED: Final = "it is not on the drive any more, so that is not mended"
_STORAGE: Final = (Differs.MISSING, Differs.OVERWRITTEN, Differs.MISPLACED)


def _in_storage(row: FileRow, cloud: Cloud) -> _Step:
    if is_leftover(row):
        return _Step("holds it, as nobody remembers", Verdict.NOT_CURRENT, _TAKE_OUT)
    if row.stored == row.seen == ABSENT and row.storage_id:
        return _forgotten(row, cloud)
    if row.stored == ABSENT:
        return _Step("not uploaded", Verdict.NOT_CURRENT, SYNC)
    if row.stored == IN_DOUBT:
        end = "ended in trouble" if row.aside else "was begun, and its end is not known"
        return _Step(f"not known: an upload {end}", Verdict.UNKNOWN, SYNC)
    if cloud.problem:
        return _Step(f"unknown: {cloud.problem}", Verdict.UNKNOWN, "twinsyncd check")
    return _difference(row, cloud, _STORAGE) or _Step("as remembered")


def _forgotten(row: FileRow, cloud: Cloud) -> _Step:
    """Return whether Storage has a file of which only its id is remembered."""
    if cloud.problem:
        return _Step(f"unknown: {cloud.problem}", Verdict.UNKNOWN, "twinsyncd check")
    is_missing = any(
        difference.differs is Differs.MISSING for difference in cloud.differences.get(row.key, ())
    )
    return _Step("not there any more" if is_missing else "still there")


def _in_connection(row: FileRow, cloud: Cloud) -> _Step:
    found = _difference(row, cloud, (Differs.UNMAPPED, Differs.CONNECTOR))
    if found is not None:
        return found
    if not row.in_connection:
        return _Step("none")  # a reference, or a file that no run has taken yet: see the run
    return _Step("unknown" if cloud.problem else "in the connection")


def _difference(row: FileRow, cloud: Cloud, kinds: tuple[Differs, ...]) -> _Step | None:
    for difference in cloud.differences.get(row.key, ()):
        if difference.differs in kinds:
            found, _, follows = difference.text.rpartition("; ")
            text = f"{found or follows}; {_NOT_MENDED}" if row.seen == ABSENT else difference.text
            return _Step(text, Verdict.NOT_CURRENT, SYNC)
    return None


def _in_run(row: FileRow, evidence: RunFile | None) -> _Step:
    if evidence is not None and row.synced == row.seen == ABSENT:
        return _Step(f"run {evidence.run.rpartition('/')[2]}, the last one that processed it")
    if evidence is None or row.synced == ABSENT:
        return _Step("no run processed it", Verdict.NOT_CURRENT, SYNC)
    if evidence.outcome is Outcome.FAILED and evidence.digest == ABSENT:
        run, reason = evidence.run.rpartition("/")[2], evidence.message or "no reason given"
        said = f"run {run}, which was for other files, failed on it: {reason}"
        way_out = _TAKE_OUT if row.seen == ABSENT else _FAILED_LATER
        return _Step(f"{said}; its content went in before", Verdict.UNKNOWN, way_out)
    if evidence.outcome is not Outcome.SUCCEEDED or evidence.digest != row.synced:
        reason = evidence.message or evidence.outcome.value
        return _Step(reason, Verdict.NOT_CURRENT, SYNC)
    run = evidence.run.rpartition("/")[2]
    return _Step(f"run {run}, task {evidence.task}" if evidence.task else f"run {run}")


def _trouble(row: FileRow) -> _Step:
    trouble = row.unread or row.aside
    if not trouble:
        return _Step("")
    if row.is_open_elsewhere:
        return _Step("", Verdict.NOT_CURRENT, trouble)
    if is_leftover(row):
        return _Step("", Verdict.NOT_CURRENT, _TAKE_OUT)
    return _Step("", Verdict.NOT_CURRENT, f"twinsyncd retry, once this is mended: {trouble}")


def _in_imodel(evidence: RunFile | None, cloud: Cloud) -> _Step:
    """Return where its content is; what no look found when its run ended is looked for now."""
    changeset = (
        "" if evidence is None else evidence.changeset or cloud.written_by.get(evidence.task, "")
    )
    if not changeset:
        return _Step("none written, or the service does not say which")
    if changeset in cloud.changesets:
        return _Step(changeset[:SHOWN])
    if cloud.all_changesets:
        text = f"{changeset[:SHOWN]} is not in the iModel any more"
        why = "the iModel was restored or replaced; see: twinsyncd manual operations"
        return _Step(text, Verdict.NOT_CURRENT, why)
    return _Step(f"{changeset[:SHOWN]}, not looked up")
