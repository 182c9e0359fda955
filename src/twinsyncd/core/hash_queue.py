"""Chooses which files to hash now: a few at a time on each drive, more if they are small."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .commands import Hash
from .model import FileKey, Fingerprint
from .settle import Settler

HASHES_MAX: Final = 4  # at a time: more of them fight over the disk,
SMALL_HASHES_MAX: Final = 32  # but small ones are over before we could decide about the next
SMALL_BYTES: Final = 64 * 1024 * 1024  # what these may be together


@dataclass(slots=True)
class _Drive:
    """The hashes of one drive."""

    waiting: deque[tuple[FileKey, Fingerprint]] = field(default_factory=deque)
    busy: dict[FileKey, int] = field(default_factory=dict)  # with their sizes [bytes]

    def may_begin(self, fingerprint: Fingerprint) -> bool:
        if len(self.busy) < HASHES_MAX:
            return True
        size_bytes = sum(self.busy.values()) + fingerprint.size_bytes
        return len(self.busy) < SMALL_HASHES_MAX and size_bytes <= SMALL_BYTES


@dataclass(slots=True)
class HashQueue:
    """The hashes that wait or run, by drive: one that hangs delays no other (P14)."""

    _drives: dict[str, _Drive] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Return whether some hash is not answered yet."""
        return any(drive.busy for drive in self._drives.values())

    def add(self, drive: str, key: FileKey, fingerprint: Fingerprint) -> None:
        """Queue a settled file for reading; `drive` is anything that tells drives apart."""
        self._drives.setdefault(drive, _Drive()).waiting.append((key, fingerprint))

    def ended(self, key: FileKey) -> None:
        """Note that a hash was answered."""
        for drive in self._drives.values():
            drive.busy.pop(key, None)

    def plan(self, settler: Settler) -> list[Hash]:
        """Return the hashes to begin now; files that the settler has dropped are skipped."""
        begun: list[Hash] = []
        for drive in self._drives.values():
            while drive.waiting and drive.may_begin(drive.waiting[0][1]):
                key, fingerprint = drive.waiting.popleft()
                if key in settler:
                    drive.busy[key] = fingerprint.size_bytes
                    begun.append(Hash(key, fingerprint))
        return begun
