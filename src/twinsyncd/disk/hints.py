"""Turns the system's events of one source into facts: a hint per file, or that hints were lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from ..core.facts import Fact, HintsLost, Touched
from ..core.model import FileKey, SourceKey
from .look import is_unicode
from .protocols import PathFilter

Post = Callable[[Fact], None]
"""Accepts a fact from any thread and returns at once."""


class HintPoster(FileSystemEventHandler):
    """Turns events below one folder into facts; called from watchdog's threads.

    Does no I/O and never raises: an exception would end the thread that delivers events.
    """

    def __init__(self, post: Post, source: SourceKey, folder: str, path_filter: PathFilter) -> None:
        """Receive events of `source`, which carry paths below the resolved `folder`."""
        self._post = post
        self._source = source
        self._prefix = folder.rstrip(os.sep) + os.sep
        self._path_filter = path_filter
        self._lock = threading.Lock()
        self._reported = False  # True: a loss was posted since the last `renew`
        self._unreported = ""  # the reason of a further loss, not posted yet

    def dispatch(self, event: FileSystemEvent) -> None:
        """Post what the event means; a moved file touches both of its paths."""
        for path in (event.src_path, event.dest_path):
            if path:
                is_folder, was = event.is_directory, event.event_type
                self.post_change(os.fsdecode(path), is_folder=is_folder, was=was)

    def post_change(self, file: str, *, is_folder: bool, was: str) -> None:
        """Post what a change of this resolved path means; `was`: what happened, as a participle."""
        try:
            self._post_hint(file, is_folder=is_folder, was=was)
        except Exception as exc:  # noqa: BLE001 - see the class; a scan finds what this event meant
            self.report_loss(f"an event could not be understood: {exc!r}")

    def report_loss(self, reason: str) -> None:
        """Post that hints were lost, or leave it to `renew` if that was posted just now."""
        with self._lock:
            if self._reported:
                self._unreported = reason
                return
            self._reported = True
        self._post(HintsLost(self._source, reason))

    def renew(self) -> None:
        """Post a loss that was not posted yet; so there is at most one post per call."""
        with self._lock:
            reason, self._unreported = self._unreported, ""
            self._reported = bool(reason)
        if reason:
            self._post(HintsLost(self._source, reason))

    def may_hold_match(self, folder: str) -> bool:
        """Return whether this resolved folder can hold a match; also if that is not known."""
        path = self._relative(folder)
        try:
            return path is None or self._path_filter.folder(path)
        except Exception as exc:  # noqa: BLE001 - see the class
            self.report_loss(f"a folder could not be matched: {exc!r}")
            return True

    def _post_hint(self, file: str, *, is_folder: bool, was: str) -> None:
        path = self._relative(file)
        if path is None:
            if is_folder:
                self.report_loss(f"the folder itself was {was}")
        elif is_folder:
            # Files in it have no events of their own, or were there before the watch.
            if self._path_filter.folder(path):
                self.report_loss(f"folder {path!r} was {was}")
        elif self._path_filter.file(path) and is_unicode(path):
            self._post(Touched(FileKey(self._source, path)))

    def _relative(self, file: str) -> str | None:
        """Return the path below the source's folder as POSIX; None for the folder itself."""
        if not file.startswith(self._prefix):
            return None
        return file[len(self._prefix) :].replace(os.sep, "/")
