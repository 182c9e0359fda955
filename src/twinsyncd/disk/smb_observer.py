"""Watches one folder through its SMB server, and goes on by itself when the server was away.

Two threads per source wait for the server. A watch that began late or broke off missed changes,
which is reported as a loss, so that a scan finds them. A save that the mount still shows as it was,
since the system remembers a share's files for a second, is found by the second look of settling.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from .hints import HintPoster
from .smb_address import SmbAddress
from .smb_credentials import Credentials
from .smb_protocols import Change, OpenWatch, SmbError, SmbFolderWatch, Watched

START_S: Final = 1.5  # a start waits so long; a watch that begins later is followed by a scan
STOP_S: Final = 1.0
WAITS_S: Final = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Before the next try, the last for ever; one begins anew once changes were reported."""

FOLDER_WATCHES: Final[tuple[Watched, ...]] = ("files", "folders")


class SmbObserver:
    """Posts what the server reports of one folder."""

    def __init__(
        self,
        open_watch: OpenWatch,
        address: SmbAddress,
        credentials: Callable[[], Credentials],
        *,
        start_s: float = START_S,
        waits_s: tuple[float, ...] = WAITS_S,
    ) -> None:
        """`credentials` is called for every sign-in; it raises OSError or ValueError."""
        self._start_s = start_s
        self._stopping = threading.Event()
        self._listeners = [
            _Listener(
                open_watch, address, credentials, each, stopping=self._stopping, waits_s=waits_s
            )
            for each in FOLDER_WATCHES
        ]

    def start(self, folder: str, hints: HintPoster) -> None:
        """Begin; waits a moment for the server, and not for one that is away."""
        for listener in self._listeners:
            listener.begin(folder, hints)
        for listener in self._listeners:
            listener.await_first(self._start_s)

    def stop(self) -> None:
        """End it; no hint is posted after this."""
        self._stopping.set()
        for listener in self._listeners:
            listener.end()
        for listener in self._listeners:
            listener.join(STOP_S)

    def is_alive(self) -> bool:
        """Return whether both threads run, also while the server is away."""
        return all(listener.is_alive() for listener in self._listeners)

    def trouble(self) -> str:
        """Return why the server reports no changes; "" if it does."""
        return next((each.trouble for each in self._listeners if each.trouble), "")

    def can_do_better(self) -> bool:
        """Return False: it tries again by itself."""
        return False


class _Listener(threading.Thread):
    """Keeps one of the two watches of a folder."""

    def __init__(
        self,
        open_watch: OpenWatch,
        address: SmbAddress,
        credentials: Callable[[], Credentials],
        watched: Watched,
        *,
        stopping: threading.Event,
        waits_s: tuple[float, ...],
    ) -> None:
        super().__init__(name=f"smb-{watched}", daemon=True)
        self._open_watch = open_watch
        self._address = address
        self._credentials = credentials
        self._watched: Watched = watched
        self._stopping = stopping
        self._waits_s = waits_s
        self._first = threading.Event()  # the first try has ended, well or not
        self._late = False  # whether changes may have been missed before the watch begins
        self._lock = threading.Lock()  # held while posting, so that nothing follows the end
        self._watch: SmbFolderWatch | None = None
        self._failures = 0
        self.trouble = f"{address}: the server has not answered yet"

    def begin(self, folder: str, hints: HintPoster) -> None:
        """Start the thread; changes are posted as paths below `folder`."""
        self._prefix, self._hints = folder.rstrip(os.sep) + os.sep, hints
        self.start()

    def await_first(self, patience_s: float) -> None:
        """Wait for the first try to end; from then on a watch that begins is late."""
        self._first.wait(patience_s)
        with self._lock:
            self._late |= self._watch is None

    def end(self) -> None:
        """Close the watch and post nothing more; `stopping` is set."""
        with self._lock:
            watch = self._watch
        if watch is not None:
            watch.close()

    def run(self) -> None:
        """Watch until the end, and try again when that breaks off."""
        while not self._stopping.is_set():
            try:
                self._watch_once()
            except (SmbError, OSError, ValueError) as exc:
                self.trouble = str(exc)
            self._first.set()
            wait_s = self._waits_s[min(self._failures, len(self._waits_s) - 1)]
            self._failures += 1
            self._stopping.wait(wait_s)

    def _watch_once(self) -> None:
        """Post changes until nothing more is reported. Raises SmbError, OSError, ValueError."""
        watch = self._open_watch(self._address, self._credentials(), self._watched)
        try:
            with self._lock:
                self._watch = watch
                if self._stopping.is_set():
                    return
                if self._late:
                    self._hints.report_loss("the server reports changes again")
                self._late, self.trouble = True, ""
            self._first.set()
            self._follow(watch, None)
            while not self._stopping.is_set():
                changes = watch.next()
                self._failures = 0
                self._post(changes)
                self._follow(watch, changes)
        finally:
            watch.close()
            with self._lock:
                self._watch = None

    def _follow(self, watch: SmbFolderWatch, changes: tuple[Change, ...] | None) -> None:
        """Follow the folders that changed, or all of them. Raises SmbError.

        It looks at the mounted share, which may hang: the watch of the files goes on meanwhile.
        """
        if self._watched != "folders" or not watch.misses_writes:
            return
        for path in [""] if changes is None else [change.path for change in changes]:
            watch.drop(path)
            folders = folders_below(self._prefix, path, self._hints.may_hold_match)
            if not all(watch.follow(each) for each in folders if not self._stopping.is_set()):
                return  # there is room for no more

    def _post(self, changes: tuple[Change, ...] | None) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            if changes is None:
                self._hints.report_loss("the server had more changes than it could list")
                return
            for path, was in changes:
                file = self._prefix + path.replace("/", os.sep)
                self._hints.post_change(file, is_folder=self._watched == "folders", was=was)


def folders_below(top: str, path: str, may_hold: Callable[[str], bool]) -> Iterator[str]:
    """Yield a folder and those below it that can hold a match, as paths below `top`, widest first.

    What cannot be listed has no folders below it. Links are not followed.
    """
    waiting = deque([path])
    while waiting:
        above = waiting.popleft()
        if not may_hold(top + above.replace("/", os.sep)):
            continue
        yield above
        with suppress(OSError), os.scandir(top + above.replace("/", os.sep)) as entries:
            names = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
            waiting.extend(f"{above}/{name}" if above else name for name in names)
