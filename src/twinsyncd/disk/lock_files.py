"""Says who has a file open, by the lock files that CAD and Office programs keep beside it.

AutoCAD and its kin write `plan.dwl` and `plan.dwl2` for `plan.dwg` (user, machine and time), Office
writes `~$list.xlsx` for `list.xlsx` (the user), LibreOffice `.~lock.list.xlsx#` (user and machine),
Rhino `model.3dm.rhl`, Revit keeps an open `.slog` in `tower_backup` for a central `tower.rvt`.
MicroStation keeps none. A program that crashed leaves its lock file behind. Where no lock file
lies, the locks of this machine's own programs are looked at.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from ..core.model import OPEN_IN
from ..errors import DiskError
from .system_locks import program_that_locks
from .tree import Tree

_HEAD_BYTES: Final = 4096  # more than any of these files has


class Holder(NamedTuple):
    """Who has a file open: `since_s` is the lock file's own time [s since 1970]."""

    who: str  # "" if the lock file does not say
    program: str
    lock_file: str  # its path; "" if the system says that it is open
    since_s: float  # 0: not known

    def __str__(self) -> str:
        """Return who has it open, and since when."""
        who = f" by {self.who}" if self.who else ""
        if not self.since_s:
            return f"{OPEN_IN}{self.program}{who}"
        opened = datetime.fromtimestamp(self.since_s, UTC).astimezone()
        return f"{OPEN_IN}{self.program}{who} since {opened:%Y-%m-%d %H:%M}"


def holder_of(tree: Tree, path: str) -> Holder | None:
    """Return who has the file open; None if neither lock file nor lock says so. Raises OSError."""
    for lock_file, program, read in _candidates(PurePosixPath(path)):
        try:
            found = tree.stat(lock_file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if stat.S_ISREG(found.st_mode):
            return Holder(_named_in(tree, lock_file, read), program, lock_file, found.st_mtime)
    try:
        program = program_that_locks(tree.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Holder("", program, "", 0.0) if program else None


def require_closed(tree: Tree, path: str) -> None:
    """Raise DiskError while a lock file says that somebody has the file open."""
    file = tree.folder / path
    try:
        holder = holder_of(tree, path)
    except OSError as exc:
        raise DiskError(f"cannot look who has {file} open: {exc.strerror or exc}") from exc
    if holder is not None:
        hint = "it is taken once it is closed"
        if holder.lock_file:
            left = tree.folder / holder.lock_file
            hint += (
                f"; if nobody has it open, delete {left}, which a program that crashed left behind"
            )
        raise DiskError(f"{holder}: {file}", hint=hint)


def _candidates(path: PurePosixPath) -> Iterator[tuple[str, str, Callable[[bytes], str]]]:
    ending = path.suffix.lower()
    if ending in {".dwg", ".dxf", ".dwt"}:
        for lock_ending, read in ((".dwl2", _in_dwl2), (".dwl", _in_dwl)):
            yield str(path.with_suffix(lock_ending)), "AutoCAD", read
    elif ending == ".rvt":
        yield str(path.with_name(f"{path.stem}_backup") / f"{path.stem}.slog"), "Revit", _nobody
    elif ending == ".3dm":
        yield f"{path}.rhl", "Rhino", _nobody
    elif ending in _OFFICE:
        # Office drops the first two letters of a name of more than eight, none of a shorter one.
        for start in (2, 1, 0):
            yield str(path.with_name(f"~${path.name[start:]}")), "Office", _in_owner_file
        yield str(path.with_name(f".~lock.{path.name}#")), "LibreOffice", _in_libre_office


def _named_in(tree: Tree, lock_file: str, read: Callable[[bytes], str]) -> str:
    """Return who is named in it; "" if it cannot be read, as Office lets nobody do on Windows."""
    try:
        descriptor = tree.open(lock_file)
    except OSError:
        return ""
    try:
        return read(os.read(descriptor, _HEAD_BYTES))
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _in_dwl(content: bytes) -> str:
    """Three lines: user, machine, time."""
    return " on ".join(line for line in _text(content).splitlines()[:2] if line.strip())


def _in_dwl2(content: bytes) -> str:
    text = _text(content)
    names = (re.search(f"<{tag}>([^<]*)</{tag}>", text) for tag in ("username", "machinename"))
    return " on ".join(found[1].strip() for found in names if found and found[1].strip())


def _in_owner_file(content: bytes) -> str:
    """The length of the name, and the name in the machine's code page."""
    return _text(content[1 : 1 + content[0]]).strip() if content else ""


def _in_libre_office(content: bytes) -> str:
    """Fields with commas between: full name, account, machine, time."""
    name, account, machine, *_ = [*_text(content).split(","), "", "", ""]
    return " on ".join(each for each in (name or account, machine) if each.strip())


def _nobody(_content: bytes) -> str:
    return ""


def _text(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if wide else "utf-8", "replace").replace("\0", "")


_OFFICE: Final = frozenset(
    {".ods", ".xlsx", ".xlsm", ".xlsb", ".xls", ".csv", ".docx", ".docm", ".doc"}
)
