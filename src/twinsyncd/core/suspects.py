"""Files that a new one may have been before, looked at again before that one is uploaded.

A hint or a list of another folder may come later than the news of the new file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from .model import FileKey, FileRow, Now
from .settle import Settler

SUSPECTS_MAX: Final = 8  # files of the same content that are looked at before one counts as copied
LOOK_AGAIN_S: Final = 60.0  # a look at such a file is believed for so long
HELD_S: Final = 60.0  # so long may a file wait for others to settle; some keep changing for hours


@dataclass(slots=True)
class Suspects:
    """The looks of one lane. Times are monotonic seconds."""

    settler: Settler
    look_again: Callable[[FileKey, Now], None]
    _looked_s: dict[FileKey, float] = field(default_factory=dict)
    _held_s: dict[FileKey, float] = field(default_factory=dict)  # since when files wait

    def await_look(self, rows: Iterable[FileRow], now: Now) -> bool:
        """Look whether these are there still; return whether that is not known yet."""
        keys = list(dict.fromkeys(row.key for row in islice(rows, SUSPECTS_MAX + 1)))
        if len(keys) > SUSPECTS_MAX:
            return False
        recent = {key: s for key, s in self._looked_s.items() if s + LOOK_AGAIN_S > now.at_s}
        for key in keys:
            if key not in recent and key not in self.settler:
                recent[key] = now.at_s
                self.look_again(key, now)
        self._looked_s = recent
        return any(self.settler.awaits_look(key) for key in keys)

    def is_replaced(self, row: FileRow) -> bool:
        """Return whether another file seems to be in its place now, of which nothing was read."""
        look, known = self.settler.last_look(row.key), row.fingerprint
        if look is None or known is None or look == known:
            return False
        return not look.file_id or look.file_id != known.file_id

    def held_until_s(self, key: FileKey, now: Now) -> float:
        """Return until when the file may wait for others to settle."""
        return self._held_s.setdefault(key, now.at_s) + HELD_S

    def release(self, now: Now) -> None:
        """Forget the waits that ended a while ago."""
        self._held_s = {key: s for key, s in self._held_s.items() if s + 2 * HELD_S > now.at_s}
