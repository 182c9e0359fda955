"""Examines the state folder: rights, room, whether it is on a local disk, and the journal in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ...cloud.access_check import CheckResult
from ...config import Config
from ...config.folders import within
from ...disk.root import filesystem_of, is_network
from ...errors import JournalError
from ..formatting import size
from ..machine_lock import served_elsewhere
from ..state import is_running, journal_file, open_views
from .account import account_name

SPACE_LEAST: Final = 100 * 2**20  # bytes; a journal of 250,000 files and its log fit in
SPACE_ADVISED: Final = 2**30
ANSWER_S: Final = 10.0  # for a state folder that somebody put on a share which hangs


def state_results(config: Config) -> Iterator[CheckResult]:
    """Yield what stands against the state folder, or that it can be used."""
    folder = journal_file(config).parent
    step = f"use the state folder {folder}"
    silent = [CheckResult(step, False, "it does not answer", "choose a folder on a local disk")]
    yield from within(lambda: list(_results(config, folder, step)), ANSWER_S, silent)


def _results(config: Config, folder: Path, step: str) -> Iterator[CheckResult]:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    network = (filesystem_of(there) or "share") if is_network(there) else ""
    free, read_only = shutil.disk_usage(there).free, _is_read_only(there)
    rights = () if read_only else _rights(folder, there, step)
    place = place_results(step, network=network, free=free, read_only=read_only)
    trouble = [*rights, *place]
    yield from trouble
    if not any(each.level == "failed" for each in trouble):
        made = "it exists" if there == folder else "the first start makes it"
        room = size(free)
        yield CheckResult(step, True, f"{made}; {filesystem_of(there) or 'disk'}, {room} free")
    if config.daemon.journal is None and journal_file(config).exists():
        yield _journal(config)
    yield from _rival(config, folder)


def _is_read_only(folder: Path) -> bool:
    """Return whether the disk of a folder is mounted so; rights cannot change that."""
    if sys.platform == "win32":
        return False  # a disk there has no such state
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _rights(folder: Path, there: Path, step: str) -> Iterator[CheckResult]:
    account = account_name()
    if not there.is_dir():
        fix = "set state_folder in [daemon] to a folder"
        yield CheckResult(step, False, f"{there} is a file", fix)
    elif not os.access(there, os.W_OK | os.X_OK):
        verb = "write to it" if there == folder else f"make it in {there}"
        found = f"the account {account} cannot {verb}"
        fix = f"run: sudo install -d -o {account} -m 0700 {folder}"
        yield CheckResult(step, False, found, fix)
    elif there == folder and os.name == "posix" and there.stat().st_mode & 0o077:
        found = "other accounts can enter it; it may hold a sign-in"
        yield CheckResult(step, True, found, f"run: chmod 700 {folder}")


def place_results(
    step: str, *, network: str, free: int, read_only: bool = False
) -> Iterator[CheckResult]:
    """Yield what stands against the place: `network` is the type of its network drive, or "".

    `free` is in bytes; `read_only`: whether nobody can write to its disk.
    """
    if network:
        found = f"it lies on a network drive ({network})"
        fix = "set state_folder in [daemon] to a folder on a disk of this machine"
        yield CheckResult(step, False, found, fix)
    if read_only:
        fix = (
            "mount that disk for writing (after a disk error: see `dmesg` first), or set "
            "state_folder in [daemon] to a folder on another disk"
        )
        yield CheckResult(step, False, "its disk is read-only", fix)
    elif free < SPACE_ADVISED:
        fix = f"make room on that disk: {size(SPACE_ADVISED)} or more"
        yield CheckResult(step, free >= SPACE_LEAST, f"only {size(free)} are free", fix)


def _journal(config: Config) -> CheckResult:
    step = "read the journal"
    try:
        open_views(config).close()
    except JournalError as exc:
        return CheckResult(step, False, str(exc), exc.hint or "twinsyncd manual operations")
    return CheckResult(step, True, "a daemon uses it" if is_running(config) else "no daemon runs")


def _rival(config: Config, folder: Path) -> Iterator[CheckResult]:
    """Yield that a program with another journal serves a connection: ours would refuse to start."""
    if is_running(config):
        return
    served = served_elsewhere(config)
    if served and not is_running(config):  # it has not started between the two looks
        found = (
            f"another twinsyncd on this machine serves it, with another state folder than {folder}"
        )
        fix = (
            "use the configuration and the account of that one (the service's is named by: "
            "systemctl cat twinsyncd), or end it"
        )
        yield CheckResult(f'serve the connection "{served}" alone', False, found, fix)
