"""The log as files of bounded size, where nobody else keeps what the program writes: on Windows."""

from __future__ import annotations

import io
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

SIZE_MAX_BYTES: Final = 10 * 1024**2
FILES_MAX: Final = 5  # besides the newest: weeks, at a busy office


class LogFile(io.TextIOBase):
    """Lines go to a file; a full one is set aside as .1, .2, and so on. Thread-safe."""

    def __init__(self, file: Path, size_max_bytes: int = SIZE_MAX_BYTES) -> None:
        """Make the folder if it is not there. Raises OSError."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(
            file, maxBytes=size_max_bytes, backupCount=FILES_MAX, encoding="utf-8"
        )

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write a whole line, as loggers do; a file that can't be written loses it."""
        self._handler.handle(logging.makeLogRecord({"msg": text.removesuffix("\n")}))
        return len(text)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()
        super().close()
