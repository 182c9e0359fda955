"""Who has a file open now, for a command that somebody waits for, but not for a silent share."""

from __future__ import annotations

from functools import partial
from typing import Final

from ..config import Config, sources_of
from ..core.model import FileKey
from ..disk.lock_files import holder_of
from ..disk.tree import Tree
from ..errors import ShareSilent
from .share_threads import ShareThreads

PATIENCE_S: Final = 2.0  # the rest of the answer is worth more than who has the file open
CHECK_S: Final = 0.05


def who_has_open(config: Config, key: FileKey) -> str:
    """Return who has the file open, in which program and since when.

    "" if no lock file lies beside it, or if that cannot be found out within PATIENCE_S.
    """
    source = next((s for c, s in sources_of(config) if c.key_of(s) == key.source), None)
    if source is None:
        return ""
    threads = ShareThreads(key.source, PATIENCE_S, check_s=CHECK_S)
    try:
        holder = threads.call(partial(holder_of, Tree(source.folder), key.path))
    except (OSError, ShareSilent):
        return ""
    return str(holder) if holder else ""
