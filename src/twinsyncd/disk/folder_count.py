"""Counts the folders of a source that a watch would cover, and reads the system's limits on that.

Source: inotify(7), "/proc interfaces", read 2026-11.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .look import is_unicode
from .protocols import PathFilter
from .tree import Tree

LIMITS: Final = Path("/proc/sys/fs/inotify")


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How many folders one account may watch, and with how many queues; 0: not known."""

    watches: int
    queues: int


def read_watch_limits(limits: Path = LIMITS) -> WatchLimits:
    """Return the limits of this system; zeros where it has none."""
    return WatchLimits(_number(limits / "max_user_watches"), _number(limits / "max_user_instances"))


def count_folders(tree: Tree, path_filter: PathFilter, limit: int) -> int:
    """Return how many folders can hold a match, the source's own included, at most `limit`.

    What cannot be listed counts as one folder. Links are not followed.
    """
    waiting, found = deque([""]), 0
    while waiting and found < limit:
        above = waiting.popleft()
        found += 1
        try:
            with tree.list(above) as entries:
                names = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        tree.answered()
        paths = (f"{above}/{name}" if above else name for name in names)
        waiting.extend(path for path in paths if is_unicode(path) and path_filter.folder(path))
    return min(found, limit)


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0
