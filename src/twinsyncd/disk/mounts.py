"""Which file system a folder or a device belongs to, as the kernel lists them.

Read from /proc/self/mountinfo; systems without it have no mounts as far as this module knows.
Source: proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

NETWORK: Final = frozenset(
    {"cifs", "smb3", "smbfs", "nfs", "nfs4", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs"}
    | {"davfs", "virtiofs", "vboxsf", "prl_fs", "drvfs"}
)
"""Types whose files other hosts change without this kernel noticing."""

_MADE_UP_IDS: Final = frozenset({"vfat", "exfat", "msdos", "vboxsf", "prl_fs"})
_MOUNTINFO: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def is_network(kind: str) -> bool:
    """Return whether other hosts may change files of this type of file system unnoticed here.

    What a program serves by FUSE is taken for such, as most of it lies elsewhere; disks that FUSE
    reads ("fuseblk") are local.
    """
    return kind in NETWORK or kind == "fuse" or kind.startswith("fuse.")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the list; `device` is "major:minor", `source` what was mounted."""

    device: str
    point: str
    kind: str
    source: str
    options: tuple[str, ...] = ()  # of the file system, not of the mount point
    root: str = "/"  # the folder of the file system that is mounted


def listed() -> list[Mount]:
    """Return the mounts of this process, in the order they were made."""
    try:
        return list(_parsed(_MOUNTINFO.read_bytes()))
    except OSError:
        return []


@lru_cache(maxsize=1)
def _parsed(text: bytes) -> tuple[Mount, ...]:
    """Return the mounts; each check of each source asks, and the list hardly ever changes."""
    return tuple(parse(os.fsdecode(text)))


def parse(text: str) -> list[Mount]:
    """Return the mounts in the text of a mountinfo file; lines it does not know are left out."""
    mounts = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, rest = left.split(" "), right.split(" ")
        if len(fields) >= 6 and len(rest) >= 2:
            options = tuple(",".join(rest[2:]).split(","))
            point, source, root = _plain(fields[4]), _plain(rest[1]), _plain(fields[3])
            mounts.append(Mount(fields[2], point, rest[0], source, options, root))
    return mounts


def holding(folder: str, mounts: Sequence[Mount]) -> Mount | None:
    """Return the mount an absolute, resolved folder lies on: the deepest, and of those the last."""
    found = None
    for mount in mounts:
        inside = folder == mount.point or folder.startswith(mount.point.rstrip("/") + "/")
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def below(folder: str, mounts: Sequence[Mount]) -> dict[str, Mount]:
    """Return the drives mounted below an absolute, resolved folder, by their relative paths."""
    above = folder.rstrip("/") + "/"
    inside = (mount for mount in mounts if mount.point.startswith(above))
    return {mount.point.removeprefix(above): mount for mount in inside}


def renumbers(mount: Mount) -> bool:
    """Return whether inode numbers on this mount may change while a file rests.

    FUSE and the FAT family number a file anew whenever they have forgotten it, and so does the
    SMB client when the server has no numbers of its own.
    Source: mount.cifs(8), "serverino"; fuse(8), "noforget".
    """
    made_up = mount.kind.startswith("fuse") or mount.kind in _MADE_UP_IDS
    return made_up or "noserverino" in mount.options


def keeps_ids(device: int) -> bool:
    """Return whether inode numbers on this `st_dev` name the same file a minute later.

    The answer is remembered until `refresh`.
    """
    return not _is_renumbering(device)


def refresh() -> None:
    """Forget what was remembered about devices; call it when mounts may have changed."""
    _is_renumbering.cache_clear()


@lru_cache(maxsize=64)  # devices in use at a time: few; the bound only guards against leaks
def _is_renumbering(device: int) -> bool:
    if sys.platform == "win32":
        return True
    name = f"{os.major(device)}:{os.minor(device)}"
    return any(renumbers(mount) for mount in listed() if mount.device == name)


def _plain(field: str) -> str:
    """Return the field with the kernel's escapes for blanks and backslashes undone."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
