"""Hints of change from the folders of every source, and what of them is not watched.

A hint only says "look there"; losing one costs time until the next scan. What must not be lost is
the knowledge that some were: an overflow, a dead thread, a renewed watch become HintsLost, and
folders that are not watched at all are in `trouble`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from ..core.facts import HintsLost
from ..core.model import SourceKey
from .hints import HintPoster, Post
from .observer import TreeObserver
from .platform_observer import make_observer
from .protocols import PathFilter
from .root import anchor

MakeObserver = Callable[[HintPoster], TreeObserver]
"""Makes what listens for one source; raises OSError if the system has no means left."""


class Watcher:
    """Watches the folders of all sources; its methods may be called from any thread.

    They take as long as the drive does: watching lists every folder of the tree once.
    """

    def __init__(self, post: Post, *, make: MakeObserver = make_observer) -> None:
        """Post hints with `post`, which is called from the watcher's own threads."""
        self._post = post
        self._make = make
        self._lock = threading.Lock()
        self._sources: dict[SourceKey, _WatchedFolder] = {}

    def watch(self, source: SourceKey, folder: Path, path_filter: PathFilter) -> None:
        """Begin to post hints for `source`, in place of any earlier folder of it.

        Never raises for the drive's sake: what cannot be watched is in `trouble`, and tried again
        at every `check`. What happened before the return is for a scan to find.
        """
        watched = _WatchedFolder(self._post, self._make, source, folder, path_filter)
        with self._lock:
            self._forget(source)
            self._sources[source] = watched
            watched.begin()

    def unwatch(self, source: SourceKey) -> None:
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

        Posts HintsLost for each source that is not watched any more, and once it is watched again.
        """
        with self._lock:
            for watched in self._sources.values():
                watched.check()

    def trouble(self) -> dict[SourceKey, str]:
        """Return why hints are missing, by source; sources that are watched well are not in it."""
        reasons = {source: watched.trouble() for source, watched in self._sources.copy().items()}
        return {source: reason for source, reason in reasons.items() if reason}

    def _forget(self, source: SourceKey) -> None:
        if watched := self._sources.pop(source, None):
            watched.end()


class _WatchedFolder:
    """One source's folder and its observer, if it has one at the moment."""

    def __init__(
        self,
        post: Post,
        make: MakeObserver,
        source: SourceKey,
        folder: Path,
        path_filter: PathFilter,
    ) -> None:
        self._post = post
        self._make = make
        self._source = source
        self._folder = folder
        self._path_filter = path_filter
        self._hints: HintPoster | None = None
        self._observer: TreeObserver | None = None
        self._anchor = (0, 0)
        self._unwatched = ""  # why the folder is not watched

    def begin(self) -> None:
        """Watch the folder, or remember why that is impossible."""
        try:
            self._anchor = anchor(self._folder)
            # The kernel watches a link, not its target; events carry the path that was watched.
            folder = os.path.realpath(self._folder)
            hints = HintPoster(self._post, self._source, folder, self._path_filter)
            observer = self._make(hints)
            observer.start(folder, hints)
        except OSError as exc:
            self._unwatched = f"{self._folder} cannot be watched: {exc.strerror or exc}"
            return
        self._hints, self._observer, self._unwatched = hints, observer, ""

    def end(self) -> None:
        """Stop watching."""
        if self._observer:
            self._observer.stop()
        self._hints = self._observer = None

    def check(self) -> None:
        """Watch anew if that helps; post that hints were lost, or that there are none now."""
        reason = self._reason_to_renew()
        if reason:
            was_heard = self._hints is not None
            self.end()
            self.begin()
            if self._hints:
                self._hints.report_loss(reason)
            elif was_heard:
                self._post(HintsLost(self._source, "the folder is not watched any more"))
        elif self._hints:
            self._hints.renew()

    def trouble(self) -> str:
        """Return why hints are missing; "" if none are."""
        observer = self._observer
        return observer.trouble() if observer else self._unwatched

    def _reason_to_renew(self) -> str:
        observer = self._observer
        if observer is None:
            return "the folder is watched again"
        if not observer.is_alive():
            return "a thread of the watcher had died"
        if observer.can_do_better():
            return "more folders can be watched now"
        try:
            moved = anchor(self._folder) != self._anchor
        except OSError:
            moved = True
        return "the folder was replaced or remounted" if moved else ""
