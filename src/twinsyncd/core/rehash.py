"""Reads every file again once in a while, slowly, for changes that no look can show.

A file system without change times, and a defect of a disk, change content under an equal
fingerprint. One file is read at a time, and the rest after it follows its size and how long it
took, so it costs a quarter of a slow drive's speed at most. Nothing waits for it.

A program that has a file open may write to it before size and time show it. So a content that
differs counts only if it is read twice, some time apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .commands import Rehash
from .decision import FileRows
from .facts import Rehashed
from .model import Digest, FileKey, FileRow, Now, SourceKey

BATCH: Final = 500  # rows per query: it reads the whole table
REST_S: Final = 1.0  # after each file, and
BYTES_PER_S: Final = 32 * 1024 * 1024  # no more than this: 80 TB in a month
REST_SHARE: Final = 3.0  # so many times as long as the reading took
NOTHING_DUE_S: Final = 3600.0  # then the journal is asked again
CONFIRM_S: Final = 600.0  # between two readings of a content that differs


@dataclass(slots=True)
class Rehasher:
    """Decides which file to read again and when; times are monotonic seconds unless named wall."""

    rows: FileRows
    every_s: float  # 0: never
    _waiting: deque[FileRow] = field(default_factory=deque)
    _suspects: dict[FileKey, tuple[Digest, float]] = field(default_factory=dict)  # and when to read
    _busy: FileRow | None = None
    _begun_s: float = 0.0
    _next_s: float = float("-inf")

    def plan(
        self, sources: Sequence[SourceKey], may_read: Callable[[FileRow], bool], now: Now
    ) -> list[Rehash]:
        """Return the file to read now, if one is due and nothing else is about to read it.

        `sources` are those that can be read now.
        """
        if not self.every_s or self._busy is not None or now.at_s < self._next_s:
            return []
        if not self._waiting:
            before_s = now.wall_s - self.every_s
            due = self.rows.hashed_before(sources, before_s, BATCH)
            self._waiting.extend(row for row in due if self._is_due(row.key, now))
        while self._waiting:
            row = self._waiting.popleft()
            if row.fingerprint is not None and may_read(row):
                self._busy, self._begun_s = row, now.at_s
                return [Rehash(row.key, row.fingerprint)]
        self._next_s = now.at_s + (CONFIRM_S if self._suspects else NOTHING_DUE_S)
        return []

    def is_changed(self, fact: Rehashed, seen: Digest, now: Now) -> bool:
        """Note what was read; return whether the file must settle again.

        It must if it could not be read as remembered, or if its content is certainly not `seen`.
        """
        self._rest(now)
        before = self._suspects.pop(fact.key, None)
        if fact.fingerprint is None:
            return True
        if fact.digest == seen:
            return False
        if before is not None and before[0] == fact.digest:
            return True
        self._suspects[fact.key] = (fact.digest, now.at_s + CONFIRM_S)
        return False

    def deadline(self) -> float | None:
        """Return the time at which `plan` has something new, or None."""
        return self._next_s if self.every_s and self._busy is None else None

    def _rest(self, now: Now) -> None:
        look = self._busy.fingerprint if self._busy else None
        by_size_s = look.size_bytes / BYTES_PER_S if look else 0.0
        by_time_s = REST_SHARE * (now.at_s - self._begun_s)
        self._busy = None
        self._next_s = now.at_s + max(REST_S, by_size_s, by_time_s)

    def _is_due(self, key: FileKey, now: Now) -> bool:
        suspect = self._suspects.get(key)
        return suspect is None or suspect[1] <= now.at_s
