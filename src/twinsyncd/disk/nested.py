"""Drives that are mounted inside a source's folder, each with an identity of its own.

When such a drive goes away, its mount point is an empty folder like any other, and its files would
look deleted. So a drive that was seen once must be found again, or nothing below is believed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import mounts, root
from .drive_words import drive_in_words

_AUTOMOUNT = "autofs"  # a mount point that waits for its first use; not the drive itself


class NestedDrives:
    """The drives mounted below one source's folder, as one scan finds them."""

    def __init__(
        self,
        folder: Path,
        expected: Mapping[str, str],
        *,
        listed: root.Mounts = mounts.listed,
    ) -> None:
        """`expected` are the identities found by the last scan, by relative path."""
        self._folder = folder
        self._expected = dict(expected)
        self._listed = listed
        self._real = os.path.realpath(folder)
        self._points = {*expected, *self._mounted()}
        self.found: dict[str, str] = {}  # path -> identity, of those listed in this scan

    def note(self, path: str) -> str:
        """Note that a folder was listed; return why it cannot be believed, "" if it can.

        Call it after the listing, which makes an automounter mount. Raises OSError.
        """
        if path not in self._points:
            return ""
        identity = self._identity(path)
        expected = self._expected.get(path, "")
        if expected not in ("", identity):
            return _changed(expected, identity)
        if identity:
            self.found[path] = identity
        return ""

    def unmounted_meanwhile(self) -> dict[str, str]:
        """Return the drives that were listed and are not there any more, with reasons."""
        changed = {}
        for path, identity in self.found.items():
            try:
                now = self._identity(path)
            except OSError as exc:
                changed[path] = exc.strerror or str(exc)
                continue
            if now != identity:
                changed[path] = _changed(identity, now)
        return changed

    def not_visited(self) -> dict[str, str]:
        """Return the expected drives that were not found, with their identities."""
        return {path: each for path, each in self._expected.items() if path not in self.found}

    def _identity(self, path: str) -> str:
        """Return which drive is mounted exactly here; "" if none is."""
        real = f"{self._real}/{path}"
        mount = mounts.holding(real, self._listed())
        if mount is None or mount.point != real or mount.kind == _AUTOMOUNT:
            return ""
        return root.identity(self._folder / path, listed=self._listed)

    def _mounted(self) -> set[str]:
        return set(mounts.below(self._real, self._listed()))


def _changed(expected: str, found: str) -> str:
    if found:
        was, now = drive_in_words(expected), drive_in_words(found)
        return f"another drive is mounted here: it was {was}, now it is {now}"
    return drive_is_away(expected)


def drive_is_away(expected: str) -> str:
    """Return the words for a drive that is not mounted any more."""
    return (
        f"{drive_in_words(expected)}, which was mounted here, is away; mount it again,"
        " or exclude this folder if it was removed on purpose"
    )
