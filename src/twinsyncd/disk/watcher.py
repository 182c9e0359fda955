"""Hints of change from the folders of every source, and what of them is not watched.

A hint only says "look there"; losing one costs time until the next scan. A loss must be known, so
an overflow, a dead thread and a renewed watch are posted as HintsLost, and folders that are not
watched at all are in `trouble`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from ..core.facts import HintsLost
from ..core.model import SourceKey
from . import mounts
from .hints import HintPoster, Post
from .observer import SourceObserver
from .platform_observer import MakeObserver, observers
from .protocols import PathFilter
from .recent_folders import RecentFolders
from .root import Mounts, anchor, is_network
from .tree import Tree

MakeRemote = Callable[[SourceKey, Path], SourceObserver | None]
"""Makes what watches a source through its server; None if it is not configured. Raises OSError."""

STOP_S: Final = 3.0  # a stop waits so long for the watches in all; what hangs is left behind


class Watcher:
    """Watches the folders of all sources; its methods may be called from any thread.

    `watch` and `check` take as long as the drive of that source does, and delay no other source.
    """

    def __init__(
        self,
        post: Post,
        *,
        make: MakeObserver | None = None,
        is_remote: Callable[[Path], bool] = is_network,
        remote: MakeRemote = lambda _source, _folder: None,
        listed: Mounts = mounts.listed,
        stop_s: float = STOP_S,
        recent: Callable[[SourceKey], Iterable[str]] = lambda _source: (),
    ) -> None:
        """Post hints with `post`, which is called from the watcher's own threads.

        `remote` makes the observers of sources that are watched through their server. `stop_s` [s]
        bounds a stop. `recent` names the folders of a source with the newest changes: those that
        are looked into at each check where nothing else reports changes.
        """
        self._post = post
        self._make = make or observers()
        self._is_remote = is_remote
        self._remote = remote
        self._listed = listed
        self._stop_s = stop_s
        self._recent = recent
        self._lock = threading.Lock()
        self._sources: dict[SourceKey, _WatchedFolder] = {}
        self._stopped = False

    def watch(self, source: SourceKey, folder: Path, path_filter: PathFilter) -> None:
        """Begin to post hints for `source`, in place of any earlier folder of it.

        Errors of the drive do not raise: what cannot be watched is in `trouble`, and tried again
        at every `check`. Changes before the return are for a scan to find. A network drive is
        watched through its server alone, since this system does not report what other hosts write;
        without that, each `check` looks into the folders that changed lately.
        """
        watched = _WatchedFolder(
            source,
            folder,
            path_filter,
            post=self._post,
            make=self._make,
            is_remote=self._is_remote,
            remote=self._remote,
            listed=self._listed,
            recent=RecentFolders(self._post, source, Tree(folder), path_filter, self._recent),
        )
        with self._lock:
            if self._stopped:
                return
            replaced = self._sources.get(source)
            self._sources[source] = watched
        if replaced:
            replaced.end()
        watched.begin()

    def unwatch(self, source: SourceKey) -> None:
        """Post no more hints for `source`; nothing happens if it is not watched."""
        with self._lock:
            watched = self._sources.pop(source, None)
        if watched:
            watched.end()

    def stop(self) -> None:
        """Post no more hints and end all threads; leaves behind what hangs."""
        with self._lock:
            self._stopped = True
            watches = list(self._sources.values())
            self._sources.clear()
        for watched in watches:
            watched.close()
        busy = [each for each in watches if each.is_busy()]  # perhaps for ever
        acts: list[Callable[[], None]] = [
            partial(_end_each, [each for each in watches if each not in busy])
        ]
        acts += [each.end for each in busy]
        ends = [threading.Thread(target=act, daemon=True) for act in acts]
        for end in ends:
            end.start()
        deadline_s = time.monotonic() + self._stop_s
        for end in ends:
            end.join(max(deadline_s - time.monotonic(), 0.0))

    def check(self, source: SourceKey) -> None:
        """Renew the source's watch if it died, lost its folder, or can do better now.

        Posts HintsLost if it is not watched any more, and once it is watched again. Call it every
        few seconds, and not twice at once for one source.
        """
        with self._lock:
            watched = self._sources.get(source)
        if watched:
            watched.check()

    def trouble(self) -> dict[SourceKey, str]:
        """Return why hints are missing, by source; sources that are watched well are not in it."""
        with self._lock:
            sources = self._sources.copy()
        reasons = {source: watched.trouble() for source, watched in sources.items()}
        return {source: reason for source, reason in reasons.items() if reason}


def _end_each(watches: Iterable[_WatchedFolder]) -> None:
    for watched in watches:
        watched.end()


class _WatchedFolder:
    """One source's folder and its observer, if it has one at the moment."""

    def __init__(
        self,
        source: SourceKey,
        folder: Path,
        path_filter: PathFilter,
        *,
        post: Post,
        make: MakeObserver,
        is_remote: Callable[[Path], bool],
        remote: MakeRemote,
        listed: Mounts,
        recent: RecentFolders,
    ) -> None:
        self._post = post
        self._recent = recent
        self._listed = listed
        self._real = ""  # the folder without links, while it is watched
        self._inside: dict[str, mounts.Mount] = {}  # drives that are mounted below it
        self._make = make
        self._is_remote = is_remote
        self._remote = remote
        self._source = source
        self._folder = folder
        self._path_filter = path_filter
        self._busy = threading.Lock()  # held while the drive is used
        self._closed = False
        self._hints: HintPoster | None = None
        self._observer: SourceObserver | None = None
        self._anchor = (0, 0)
        self._unwatched = f"{folder} is not watched yet: the drive has not answered"

    def begin(self) -> None:
        """Watch the folder, or keep the reason why that is impossible."""
        with self._busy:
            self._begin()

    def is_busy(self) -> bool:
        """Return whether its drive is being used, which may take for ever."""
        return self._busy.locked()

    def close(self) -> None:
        """Let the watch end by itself as soon as the drive answers; never blocks."""
        self._closed = True

    def end(self) -> None:
        """Stop watching; takes as long as the drive does."""
        self._closed = True
        with self._busy:
            self._end()

    def check(self) -> None:
        """Watch again if that helps; post that hints were lost, or that there are none now."""
        with self._busy:
            if not self._closed:
                self._check()

    def trouble(self) -> str:
        """Return why hints are missing; "" if none are."""
        observer = self._observer
        return observer.trouble() if observer else self._unwatched

    def _begin(self) -> None:
        try:
            observer = self._remote(self._source, self._folder)
            if observer is None and self._is_remote(self._folder):
                self._unwatched = ""
                return
            self._anchor = anchor(self._folder)
            # The kernel watches a link, not its target; events carry the path that was watched.
            folder = self._real = os.path.realpath(self._folder)
            self._inside = mounts.below(folder, self._listed())
            hints = HintPoster(self._post, self._source, folder, self._path_filter)
            observer = observer or self._make(hints)
            observer.start(folder, hints)
        except OSError as exc:
            self._unwatched = f"{self._folder} cannot be watched: {exc.strerror or exc}"
            return
        self._hints, self._observer, self._unwatched = hints, observer, ""
        if self._closed:
            self._end()

    def _end(self) -> None:
        if self._observer:
            self._observer.stop()
        self._hints = self._observer = None

    def _check(self) -> None:
        reason = self._reason_to_renew()
        if reason:
            was_watched = self._hints is not None
            self._end()
            self._begin()
            if self._hints:
                self._hints.report_loss(reason)
            elif was_watched:
                self._post(HintsLost(self._source, "the folder is not watched any more"))
            elif not self._unwatched:  # a network drive, and nothing reports its changes
                self._recent.look()
        elif self._hints:
            self._hints.renew()

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
        if moved:
            return "the folder was replaced or remounted"
        # Watches are on what lay there before, and nothing reports a mount.
        is_same = mounts.below(self._real, self._listed()) == self._inside
        return "" if is_same else "a drive inside the folder was mounted or unmounted"
