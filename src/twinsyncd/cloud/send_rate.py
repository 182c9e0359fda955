"""Keeps uploads below a rate: whoever sends asks before each piece, and waits if needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from .retries import Sleep

PIECE_S: Final = 0.25  # of the rate in one piece: servers hang up on connections that pause
PIECE_LEAST_BYTES: Final = 16 * 1024

BytesPerS = Callable[[], float | None]


class SendRate:
    """One limit, shared by all uploads it holds for; may be used from any thread."""

    def __init__(
        self,
        bytes_per_s: BytesPerS,
        *,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`bytes_per_s` returns the rate that holds now; None: no limit. `clock` gives seconds."""
        self._bytes_per_s = bytes_per_s
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._free_s = 0.0  # when all that was let through is sent at the rate

    def piece_bytes(self) -> int | None:
        """Return how much to send at once under the limit; None: there is none now."""
        rate = self._bytes_per_s()
        return None if rate is None else max(int(rate * PIECE_S), PIECE_LEAST_BYTES)

    def wait_for(self, size_bytes: int) -> None:
        """Wait until so many bytes may be sent."""
        with self._lock:
            rate = self._bytes_per_s()
            if rate is None:
                return
            now_s = self._clock()
            begins_s = max(self._free_s, now_s)
            self._free_s = begins_s + size_bytes / rate
        if begins_s > now_s:
            self._sleep(begins_s - now_s)


def paced(pieces: Iterable[bytes], limits: Sequence[SendRate]) -> Iterator[bytes]:
    """Yield the same bytes, in smaller pieces and as slowly as the tightest limit wants."""
    for piece in pieces:
        sizes = [size for limit in limits if (size := limit.piece_bytes()) is not None]
        step = min(sizes, default=len(piece)) or 1
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            for limit in limits:
                limit.wait_for(len(part))
            yield part
