"""Notices that a file with a secret was replaced, so that halted lanes sign in again at once.

A person who has corrected a secret watches whether it works. A halted lane tries again by itself
only every few minutes. The files are looked at every few seconds, on a thread of its own, as they
may lie on a share that hangs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from ..core.facts import Fact, SignedIn

LOOK_S: Final = 2.0  # a person who replaced a secret waits no longer; a look is one stat per file

Stamp = tuple[int, int, int] | None

log = structlog.get_logger()


class SecretWatch:
    """Posts a fact when one of some files has changed and can be read."""

    def __init__(
        self,
        files: Sequence[Path],
        post: Callable[[Fact], None],
        stamp: Callable[[Path], Stamp] | None = None,
    ) -> None:
        """Take what the files are now as known; `stamp` is what tells two contents apart."""
        self._stamp = stamp or stamp_of
        self._post = post
        self._files = tuple(files)
        self._known: dict[Path, Stamp] = {}
        self._stopping = threading.Event()

    def __enter__(self) -> None:
        """Begin to look, if there is any file to look at."""
        if self._files:
            threading.Thread(target=self._keep, name="secrets", daemon=True).start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End looking; a look that hangs is not waited for."""
        self._stopping.set()

    def look(self) -> None:
        """Post a fact if a file changed since the last look; the first look only learns."""
        found = {file: self._stamp(file) for file in self._files}
        changed = [
            file
            for file, before in self._known.items()
            if found[file] is not None and found[file] != before
        ]
        self._known = found
        if changed and not self._stopping.is_set():
            log.info("secret.replaced", files=[str(file) for file in changed])
            self._post(SignedIn())

    def _keep(self) -> None:
        self.look()
        while not self._stopping.wait(LOOK_S):
            self.look()


def stamp_of(file: Path) -> Stamp:
    """Return what changes with the content of a file; None while it cannot be read."""
    try:
        found = file.stat()
        with file.open("rb"):
            return found.st_mtime_ns, found.st_size, found.st_ino
    except OSError:
        return None
