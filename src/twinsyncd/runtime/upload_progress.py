"""Counts what uploads have read and passed on to be sent, for the status."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ..core.progress import UploadsUnderWay

WINDOW_S: Final = 15.0  # the speed is that of so long: one block over a slow line takes seconds


class UploadProgress:
    """The uploads under way; may be used from any thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._uploads: dict[object, list[int]] = {}  # bytes sent and in all, by upload
        self._recent: deque[tuple[float, int]] = deque()  # when [s], and how many bytes
        self._since_s = 0.0  # when the first of the uploads began

    @contextmanager
    def upload(self, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Count an upload of that size; yields what to call with the bytes of each piece."""
        sizes, key = [0, size_bytes], object()
        with self._lock:
            if not self._uploads:
                self._recent.clear()
                self._since_s = self._clock()
            self._uploads[key] = sizes

        def taken(count: int) -> None:
            with self._lock:
                sizes[0] = min(sizes[0] + count, size_bytes)
                self._recent.append((self._clock(), count))
                self._forget_old()

        try:
            yield taken
        finally:
            with self._lock:
                del self._uploads[key]

    def now(self) -> UploadsUnderWay | None:
        """Return how far the uploads are; None: there are none."""
        with self._lock:
            if not self._uploads:
                return None
            now_s = self._forget_old()
            window_s = min(max(now_s - self._since_s, 1.0), WINDOW_S)
            return UploadsUnderWay(
                len(self._uploads),
                sum(sent for sent, _ in self._uploads.values()),
                sum(size for _, size in self._uploads.values()),
                sum(count for _, count in self._recent) / window_s,
            )

    def _forget_old(self) -> float:
        now_s = self._clock()
        while self._recent and self._recent[0][0] <= now_s - WINDOW_S:
            self._recent.popleft()
        return now_s
