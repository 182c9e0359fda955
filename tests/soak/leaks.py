"""Reads what the daemon leaves behind for others to read, and knows what must not be in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .judge import Violation


@dataclass(slots=True)
class Eavesdropper:
    """Reads the log as it grows, and the state folder."""

    log: Path
    state: Path
    secrets: list[str]  # those of the configuration
    _read: int = 0  # bytes of the log
    _known: int = 0  # overheard secrets that were looked for in the state folder

    def leaks(self, overheard: Iterable[str]) -> Iterator[Violation]:
        """Yield the secrets that stand in the log's new part, or in the state folder."""
        needles = [*self.secrets, *overheard]
        with self.log.open("rb") as log:
            log.seek(self._read)
            written = log.read()
        self._read += len(written)
        yield from self._found(written, self.log, needles)
        fresh = [*self.secrets, *needles[len(self.secrets) + self._known :]]
        self._known = len(needles) - len(self.secrets)
        for file in sorted(each for each in self.state.rglob("*") if each.is_file()):
            yield from self._found(file.read_bytes(), file, fresh)

    def _found(self, content: bytes, file: Path, needles: Iterable[str]) -> Iterator[Violation]:
        for needle in needles:
            if needle.encode() in content:
                yield Violation("leaked", file.name, f"it holds {needle[:3]}...")
