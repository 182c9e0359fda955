"""Hints of change from the folders of every source, and an honest word on what is not heard.

A hint only says "look there"; losing one costs time until the next scan. What must not be lost is
the knowledge that some were: an overflow, a dead thread, a renewed watch become HintsLost, and
folders that are not watched at all are in `trouble`.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ..core.facts import HintsLost
from .hints import Hints, Post
from .listening import Listening, listening_for
from .protocols import Wanted

Listen = Callable[[Hints], Listening]
"""Makes what listens for one source; raises OSError if the system has no means left."""


class Watcher:
    """Watches the folders of all sources; its methods may be called from any thread.

    They take as long as the drive does: watching lists every folder of the tree once.
    """

    def __init__(self, post: Post, *, listen: Listen = listening_for) -> None:
        """Post hints with `post`, which is called from the watcher's own threads."""
        self._post = post
        self._listen = listen
        self._lock = threading.Lock()
        self._sources: dict[str, _Watched] = {}

    def watch(self, source: str, folder: Path, wanted: Wanted) -> None:
        """Begin to post hints for `source`, in place of any earlier folder of it.

        Never raises for the drive's sake: what cannot be watched is in `trouble`, and tried again
        at every `check`. What happened before the return is for a scan to find.
        """
        watched = _Watched(self._post, self._listen, source, folder, wanted)
        with self._lock:
            self._forget(source)
            self._sources[source] = watched
            watched.begin()

    def unwatch(self, source: str) -> None:
        """Post no more hints for `source`; nothing happens if it is not watched."""
        with self._lock:
            self._forget(source)

    def stop(self) -> None:
        """Post no more hints and end all threads."""
        with self._lock:
            for source in list(self._sources):
                self._forget(source)

    def check(self) -> None:
        """Renew watches that died, lost their folder, or can do better now; call it every few s.

        Posts HintsLost for each source that is not heard any more, and once it is watched again.
        """
        with self._lock:
            for watched in self._sources.values():
                watched.check()

    def trouble(self) -> dict[str, str]:
        """Return why hints are missing, by source; sources that are heard well are not in it."""
        reasons = {source: watched.trouble() for source, watched in self._sources.copy().items()}
        return {source: reason for source, reason in reasons.items() if reason}

    def _forget(self, source: str) -> None:
        if watched := self._sources.pop(source, None):
            watched.end()


class _Watched:
    """One source's folder and what listens to it at the moment, if anything does."""

    def __init__(
        self, post: Post, listen: Listen, source: str, folder: Path, wanted: Wanted
    ) -> None:
        self._post = post
        self._listen = listen
        self._source = source
        self._folder = folder
        self._wanted = wanted
        self._hints: Hints | None = None
        self._listening: Listening | None = None
        self._anchor = (0, 0)
        self._deaf = ""  # why nothing listens

    def begin(self) -> None:
        """Listen, or remember why that is impossible."""
        try:
            self._anchor = _anchor(self._folder)
            # The kernel watches a link, not its target; events carry the path that was watched.
            folder = os.path.realpath(self._folder)
            hints = Hints(self._post, self._source, folder, self._wanted)
            listening = self._listen(hints)
            listening.start(folder, hints)
        except OSError as exc:
            self._deaf = f"{self._folder} cannot be watched: {exc.strerror or exc}"
            return
        self._hints, self._listening, self._deaf = hints, listening, ""

    def end(self) -> None:
        """Listen no more."""
        if self._listening:
            self._listening.stop()
        self._hints = self._listening = None

    def check(self) -> None:
        """Listen anew if that helps; tell that hints were lost, or that there are none now."""
        reason = self._reason_to_renew()
        if reason:
            was_heard = self._hints is not None
            self.end()
            self.begin()
            if self._hints:
                self._hints.lost(reason)
            elif was_heard:
                self._post(HintsLost(self._source, "the folder is not watched any more"))
        elif self._hints:
            self._hints.renew()

    def trouble(self) -> str:
        """Return why hints are missing; "" if none are."""
        listening = self._listening
        return listening.trouble() if listening else self._deaf

    def _reason_to_renew(self) -> str:
        listening = self._listening
        if listening is None:
            return "the folder is watched again"
        if not listening.is_alive():
            return "a thread of the watcher had died"
        if listening.can_do_better():
            return "more folders can be watched now"
        try:
            moved = _anchor(self._folder) != self._anchor
        except OSError:
            moved = True
        return "the folder was replaced or remounted" if moved else ""


def _anchor(folder: Path) -> tuple[int, int]:
    """Return what changes when another folder or drive takes the place of this one."""
    found = folder.stat()
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return found.st_dev, found.st_ino
