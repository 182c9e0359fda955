"""Gathers what a finished run proves: which changeset each task wrote, which file each one read.

All of it is beside the result: a call that fails costs a name or a changeset, never the result.
Sources: iModels API, "Get iModel changesets" (synchronizationInfo.taskId); Synchronization API,
"Get storage connection source files" (lastKnownFileName).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from ...cloud.client import Platform
from ...cloud.links import RunAddress
from ...cloud.values import Run
from ...core.model import Fault, RunKey, StorageId
from ...errors import CloudError

CHANGESETS_MAX: Final = 1000  # of one run; a source file rarely writes more than 15
OF_RUN: Final = ""  # in place of a task's id
NAMES_MAX: Final = 20  # failed files whose name is looked up one by one; more scroll off anyway
GOOD: Final = frozenset({"Success", "Skipped"})  # results, of runs and of tasks

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a diagnostic report states about why a task or a run failed, the gravest first.

    `file`: where the whole report is kept.
    """

    stated: tuple[str, ...]
    file: str

    def __add__(self, other: Reasons) -> Reasons:
        """Return what both state; of the files the one that states anything is named."""
        stated = tuple(dict.fromkeys([*self.stated, *other.stated]))
        return Reasons(stated, self.file if self.stated else other.file)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`changesets`: the newest changeset by task id. `names`: file names by storage file id.

    `reasons`: by task id, or OF_RUN, what a diagnostic report says about why it failed.
    `trouble`: what the connection says of itself, for a run that says nothing.
    """

    changesets: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, Reasons] = field(default_factory=dict)
    trouble: str = ""


def gather(
    platform: Platform, imodel_id: str, address: RunAddress, run: Run, *, named: bool = True
) -> Evidence:
    """Return the evidence of a run that has ended; empty for one that is active.

    `named`: the service knows names for the ids of the files.
    """
    if run.state != "Completed":
        return Evidence()
    failed = dict.fromkeys(task.storage_id for task in run.tasks if task.result not in GOOD)
    written = any(task.id and task.storage_id not in failed for task in run.tasks)
    return Evidence(
        _changesets(platform, imodel_id) if written else {},
        _names(platform, address.connection_id, failed) if failed and named else {},
        trouble="" if has_reason(run) else _trouble(platform, address.connection_id),
    )


def has_reason(run: Run) -> bool:
    """Return whether a run that has ended needs no reason, or names one."""
    is_good = run.result in GOOD
    return is_good or bool(run.error_text or any(task.result not in GOOD for task in run.tasks))


def knows_run(platform: Platform, run: RunKey) -> bool:
    """Return whether the service still knows a run of ours; it does not after it was restored."""
    if not run:
        return True
    try:
        platform.run(RunAddress.read(run))
    except CloudError as exc:
        if exc.failure.fault is Fault.GONE:
            return False
        raise
    return True


def _changesets(platform: Platform, imodel_id: str) -> Mapping[str, str]:
    try:
        newest = platform.newest_changesets(imodel_id, CHANGESETS_MAX)
    except CloudError as exc:
        log.info("run.changesets_unknown", reason=exc.failure.message)
        return {}
    return {each.task: each.id for each in reversed(newest) if each.task}


def _trouble(platform: Platform, connection_id: str) -> str:
    try:
        return platform.connection(connection_id).error
    except CloudError as exc:
        log.info("run.connection_unknown", reason=exc.failure.message)
        return ""


def _names(
    platform: Platform, connection_id: str, failed: Iterable[StorageId]
) -> Mapping[str, str]:
    names: dict[str, str] = {}
    try:
        names = {each.storage_id: each.name for each in platform.source_files(connection_id)}
    except CloudError as exc:
        log.info("run.file_names_unknown", reason=exc.failure.message)
    nameless = [each for each in failed if not names.get(each)]
    for storage_id in nameless[:NAMES_MAX]:
        try:
            names[storage_id] = platform.file(storage_id).name
        except CloudError as exc:
            log.info("run.file_name_unknown", reason=exc.failure.message)
    return names
