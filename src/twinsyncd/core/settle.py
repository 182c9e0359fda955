"""When a file is settled: two equal looks, a quiet time apart, with no hint in between."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from .model import FileKey, Fingerprint, SourceKey

NEVER: Final = float("-inf")
HURRY: Final = 0.25  # a hint asks for a look no sooner than this share of the quiet time
MISS_BASE_S: Final = 5.0  # before a file that could not be read is looked at again; at first
MISS_CAP_S: Final = 300.0  # a look that keeps failing is tried again at least this often
ASIDE_LOOK_S: Final = 20.0  # a look costs little, and mended permissions should count soon
_DOUBLINGS_MAX: Final = 10


@dataclass(slots=True)
class _Unsettled:
    due_s: float
    touched_s: float = NEVER
    looked_s: float = NEVER  # when the last look's answer arrived
    asked_s: float = NEVER  # when the last look was asked for
    asked: bool = False  # a look or a hash is under way
    last: Fingerprint | None = None
    misses: int = 0
    missed: str = ""  # why the last look or hash failed
    moved: Fingerprint | None = None  # what the last read found changed before it ended
    unread: int = 0  # how many misses in a row no change of the file explains
    first_s: float = NEVER  # since when it is not known to be settled
    changes: int = 0  # how many looks found it changed since the last one
    why: str = ""  # for what it is looked at, where no change of it is known
    aside: bool = False  # it cannot be read; looked at now and then, and not waited for

    def awaits(self) -> str:
        """Return for a person what the file waits for."""
        if self.moved is not None:
            return "it keeps changing while its content is read; it is read again once it rests"
        if self.misses:
            return f"{self.missed or 'it cannot be read'}; it is tried again"
        if self.changes > 1:
            return f"it keeps changing: {self.changes} of the last looks found it changed"
        if self.why and not self.changes:
            return self.why
        if self.asked and self.last is not None:
            return "its content is being read"
        return "it must stay unchanged for its quiet time"


@dataclass(slots=True)
class Settler:
    """Decides which files to look at and which have settled; time is an argument.

    `quiet_s` gives the quiet time [s] of a file. Every look that is asked for must be answered
    by `looked` or `missed`, every settled file by `hashed` or `missed`.
    """

    quiet_s: Callable[[FileKey], float]
    _entries: dict[FileKey, _Unsettled] = field(default_factory=dict)
    _heap: list[tuple[float, FileKey]] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _failed: dict[SourceKey, set[FileKey]] = field(default_factory=dict)  # could not be read

    def __contains__(self, key: FileKey) -> bool:
        """Return whether the file is not known to be settled."""
        return key in self._entries

    def __len__(self) -> int:
        """Return how many files are not known to be settled; those set aside do not count."""
        return self._counts.total()

    def is_aside(self, key: FileKey) -> bool:
        """Return whether the file is looked at only now and then, as it could not be read."""
        return self._entries[key].aside

    def unsettled(self, source: SourceKey) -> int:
        """Return how many files of the source may settle soon.

        Without those that could not be read twice, which may go on for minutes; a program that
        saves a file locks it for a moment.
        """
        return self._counts[source] - len(self._failed.get(source, ()))

    def longest_unsettled(self, limit: int) -> list[tuple[FileKey, float, str]]:
        """Return some files that are not settled, longest first, without those set aside.

        Each with the monotonic time [s] since when, and what it waits for.
        """
        waiting = (each for each in self._entries.items() if not each[1].aside)
        oldest = heapq.nsmallest(limit, waiting, key=lambda each: each[1].first_s)
        return [(key, entry.first_s, entry.awaits()) for key, entry in oldest]

    def awaits_look(self, key: FileKey) -> bool:
        """Return whether the next look at the file will show for the first time if it is there."""
        entry = self._entries.get(key)
        return entry is not None and entry.last is None and not entry.misses

    def last_look(self, key: FileKey) -> Fingerprint | None:
        """Return the last look at an unsettled file; None if there is none, or it is settled."""
        entry = self._entries.get(key)
        return entry.last if entry is not None else None

    def last_looks(self) -> Iterator[tuple[FileKey, Fingerprint]]:
        """Yield the unsettled files, without those set aside, each with its last look."""
        for key, entry in self._entries.items():
            if entry.last is not None and not entry.aside:
                yield key, entry.last

    def touched(self, key: FileKey, now_s: float, why: str = "") -> None:
        """Note a hint; a settled file is looked at at once, an unsettled one soon.

        `why`: for what it is looked at, where no change of it is known.
        """
        why = "" if key in self._entries else why
        entry = self._entry(key, now_s)
        entry.why = why
        # A look at the same instant was before the hint, so it must not count as one after it.
        entry.touched_s = max(now_s, math.nextafter(entry.looked_s, math.inf))
        if entry.asked or entry.misses:
            return
        soon = max(now_s, entry.looked_s + self.quiet_s(key) * HURRY)
        if soon < entry.due_s:
            self._schedule(key, entry, soon)

    def begin_anew(self, key: FileKey, now_s: float) -> None:
        """Look at a file at once that could not be read, as if it had just been found."""
        entry = self._entries.get(key)
        if entry is None or entry.asked:
            return
        if entry.aside:
            entry.first_s = now_s
        self._readable(key, entry)
        self._note_failed(key, failed=False)
        entry.misses = entry.unread = 0
        entry.last = entry.moved = None
        self._schedule(key, entry, now_s)

    def found(self, key: FileKey, look: Fingerprint, now_s: float) -> None:
        """Apply a look that a scan took; if new or different, it starts the quiet time."""
        entry = self._entry(key, now_s)
        if entry.asked or entry.last == look:
            return
        self._readable(key, entry)
        entry.misses = 0
        self._first_look(key, entry, look, now_s)

    def deadline(self) -> float | None:
        """Return the monotonic time [s] of the next look, or None."""
        self._drop_outdated()
        return self._heap[0][0] if self._heap else None

    def due(self, now_s: float, limit: int) -> list[FileKey]:
        """Return at most `limit` files to look at now; each is asked for once."""
        ready: list[FileKey] = []
        while len(ready) < limit:
            self._drop_outdated()
            if not self._heap or self._heap[0][0] > now_s:
                break
            _, key = heapq.heappop(self._heap)
            entry = self._entries[key]
            entry.asked, entry.asked_s, entry.due_s = True, now_s, float("inf")
            ready.append(key)
        return ready

    def looked(self, key: FileKey, look: Fingerprint | None, now_s: float) -> Fingerprint | None:
        """Apply an answered look; return the fingerprint when the file has settled.

        A file that is not there is forgotten.
        """
        entry = self._entries.get(key)
        if entry is None or not entry.asked:
            return None
        if look is None:
            self.forget(key)
            return None
        self._readable(key, entry)
        if look == entry.last and entry.touched_s <= entry.looked_s:
            return look
        entry.asked = False
        self._first_look(key, entry, look, now_s)
        return None

    def hashed(self, key: FileKey, now_s: float) -> bool:
        """Note the digest; False if a hint came meanwhile, so the file must settle again."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        if entry.touched_s <= entry.asked_s:
            self.forget(key)
            return True
        entry.asked, entry.last = False, None
        self._schedule(key, entry, now_s + self.quiet_s(key) * HURRY)
        return False

    def missed(self, key: FileKey, now_s: float, reason: str = "", *, moved: bool = False) -> int:
        """Note that a look or a hash failed; return how often in a row. It is tried again.

        A file that changed while it was read (`moved`) is being written, which is no failure,
        unless it looks the same as when the read before failed in this way.
        """
        entry = self._entry(key, now_s)
        is_written = moved and entry.last != entry.moved
        entry.moved = entry.last if moved else None
        entry.unread = 0 if is_written else entry.unread + 1
        self._note_failed(key, failed=entry.unread > 1 and not entry.aside)
        entry.asked, entry.last = False, None
        entry.misses, entry.missed = entry.misses + 1, reason
        base_s = min(max(self.quiet_s(key), HURRY), MISS_BASE_S)
        wait = base_s * 2.0 ** min(entry.misses - 1, _DOUBLINGS_MAX)
        cap_s = ASIDE_LOOK_S if entry.aside else MISS_CAP_S
        self._schedule(key, entry, now_s + min(wait, cap_s))
        return entry.unread

    def set_aside(self, key: FileKey, now_s: float) -> None:
        """Look at a file that cannot be read now and then; nothing waits for it any more."""
        entry = self._entries[key]
        if not entry.aside:
            entry.aside = True
            self._note_failed(key, failed=False)
            self._counts[key.source] -= 1
            self._schedule(key, entry, min(entry.due_s, now_s + ASIDE_LOOK_S))

    def forget(self, key: FileKey) -> None:
        """Drop the file; a later hint or scan brings it back."""
        entry = self._entries.pop(key, None)
        self._note_failed(key, failed=False)
        if entry is not None and not entry.aside:
            self._counts[key.source] -= 1

    def forget_source(self, source: SourceKey) -> None:
        """Drop every file of a source that went offline; the scan after it finds them again."""
        for key in [key for key in self._entries if key.source == source]:
            self.forget(key)

    def _note_failed(self, key: FileKey, *, failed: bool) -> None:
        if failed:
            self._failed.setdefault(key.source, set()).add(key)
        elif key.source in self._failed:
            self._failed[key.source].discard(key)

    def _entry(self, key: FileKey, now_s: float) -> _Unsettled:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Unsettled(due_s=float("inf"), first_s=now_s)
            self._counts[key.source] += 1
            self._schedule(key, entry, now_s)
        return entry

    def _readable(self, key: FileKey, entry: _Unsettled) -> None:
        if entry.aside:
            entry.aside = False
            self._counts[key.source] += 1

    def _first_look(self, key: FileKey, entry: _Unsettled, look: Fingerprint, now_s: float) -> None:
        entry.changes += entry.last is not None and entry.last != look
        entry.last, entry.looked_s = look, now_s
        self._schedule(key, entry, now_s + self.quiet_s(key))

    def _schedule(self, key: FileKey, entry: _Unsettled, due_s: float) -> None:
        entry.due_s = due_s
        heapq.heappush(self._heap, (due_s, key))

    def _drop_outdated(self) -> None:
        while self._heap:
            due_s, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and entry.due_s == due_s:
                return
            heapq.heappop(self._heap)
