"""The memory of last resort: why the daemon cannot use its journal, in a small file beside it.

The file has its full length from the start, so writing it needs no space on a full disk.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

FILE: Final = "trouble.json"
LENGTH: Final = 1024


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the journal cannot be used, and since when (wall clock [s])."""

    reason: str
    since_s: float
    is_start: bool = False  # it has only just begun, and has not written its first heartbeat


@dataclass(frozen=True, slots=True)
class TroubleFile:
    """The file in one state folder; writing it never raises."""

    folder: Path

    def write(self, trouble: Trouble | None) -> None:
        """Say what the trouble is; None: there is none."""
        values = asdict(replace(trouble, reason=trouble.reason[:700])) if trouble else {}
        content = json.dumps(values).encode("ascii").ljust(LENGTH)[:LENGTH]
        file = self.folder / FILE
        try:
            if file.exists():
                with file.open("r+b") as existing:
                    existing.write(content)
            else:
                file.touch(mode=0o600)
                file.write_bytes(content)
        except OSError:
            return  # then the heartbeat that is missing has to tell

    def read(self) -> Trouble | None:
        """Return what a daemon said last; None if there is no trouble, or nothing can be read."""
        try:
            values = json.loads((self.folder / FILE).read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(values, dict) or not values.get("reason"):
            return None
        is_start = bool(values.get("is_start"))
        return Trouble(str(values["reason"]), float(values.get("since_s", 0.0)), is_start)
