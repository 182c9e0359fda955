"""What all uploads share: memory for content, and how many requests are under way.

Memory is bounded whatever the number of files. The number of requests follows the host, see
`request_limit`. The number of blocks of large files among them grows while that makes the transfer
faster, and goes back where it does not: more of them would only cost memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from .request_limit import AdaptiveLimit
from .upload_limits import MEBIBYTE

MEMORY_BYTES: Final = 32 * MEBIBYTE  # one file fills it with BLOCKS_MAX blocks of 4 MiB
REQUESTS_MAX: Final = 16  # more make a host slower, not faster
BLOCKS_FIRST: Final = 4
BLOCKS_MAX: Final = 6
BLOCKS_STEP: Final = 2
WINDOW_S: Final = 0.5  # a speed is measured over at least so long, and two rounds of blocks
GROWTH: Final = 1.1  # a speed that much higher justifies more blocks at a time
HOLD_S: Final = 30.0  # after a step that did not help, before the next is tried


class Cancelled(Exception):
    """Whoever waited for a place does not need it any more."""


class UploadBudget:
    """Hands out memory and places for requests; may be used from any thread."""

    def __init__(
        self,
        *,
        memory_bytes: int = MEMORY_BYTES,
        requests_max: int = REQUESTS_MAX,
        blocks_max: int = BLOCKS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives monotonic seconds."""
        self.requests_max = requests_max
        self._changed = threading.Condition()
        self._clock = clock
        self._memory_bytes = memory_bytes
        self._used_bytes = 0
        self._held = threading.local()  # `size_bytes`: what the calling thread holds
        self._waiting = 0  # files that wait for memory: extra blocks of others give way
        self._limit = AdaptiveLimit(requests_max)
        self._requests = 0
        self._blocks = 0
        self._block_count = BlockCount(min(BLOCKS_FIRST, blocks_max), blocks_max, clock)

    @property
    def requests_allowed(self) -> int:
        """How many requests may be under way now."""
        return self._limit.allowed

    @property
    def blocks_allowed(self) -> int:
        """How many of them may be blocks of large files."""
        return min(self._block_count.blocks, self.requests_allowed)

    @contextmanager
    def memory(self, size_bytes: int) -> Iterator[None]:
        """Wait for memory for a content, as much as it will need for sure, and hold it."""
        size_bytes = min(size_bytes, self._memory_bytes)
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._has_room(size_bytes))
            self._waiting -= 1
            self._take(size_bytes)
        try:
            yield
        finally:
            self._take(-size_bytes)

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Let others use what this thread holds of the memory, while it waits for a share.

        Then it takes it back without waiting. So more than agreed is held for a moment, at most
        once more for each share that hangs.
        """
        size_bytes: int = getattr(self._held, "size_bytes", 0)
        self._take(-size_bytes)
        try:
            yield
        finally:
            self._take(size_bytes)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Wait for a place for one request, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests < self.requests_allowed)
            self._requests += 1
        try:
            yield
        finally:
            with self._changed:
                self._requests -= 1
                self._changed.notify_all()

    def enter_block(
        self, size_bytes: int, is_alone: Callable[[], bool], is_cancelled: Callable[[], bool]
    ) -> int:
        """Wait for a place for one block, and for memory; returns the memory taken for it.

        A block that `is_alone` under way of its file needs none beside what its file holds already.
        Raises Cancelled when `is_cancelled` holds; both are asked again after every change.
        """

        def has_place() -> bool:
            return self._blocks < self.blocks_allowed and self._requests < self.requests_allowed

        def has_memory() -> bool:
            return is_alone() or (not self._waiting and self._has_room(size_bytes))

        def may_go() -> bool:
            return is_cancelled() or (has_place() and has_memory())

        with self._changed:
            if not may_go():
                self._block_count.waited()
                self._changed.wait_for(may_go)
            if is_cancelled():
                raise Cancelled
            if not self._blocks:
                self._block_count.begin()
            extra_bytes = 0 if is_alone() else size_bytes
            self._requests += 1
            self._blocks += 1
            self._used_bytes += extra_bytes
            return extra_bytes

    def leave_block(self, extra_bytes: int, sent_bytes: int) -> None:
        """Give the place and the memory back; `sent_bytes` is 0 for a block that failed."""
        with self._changed:
            self._requests -= 1
            self._blocks -= 1
            self._used_bytes -= extra_bytes
            if sent_bytes:
                self._block_count.sent(sent_bytes)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def went_well(self) -> None:
        """Note a request that the host took: one more may be under way after each round."""
        with self._changed:
            self._limit.went_well()  # whoever waits looks again when a place becomes free

    def was_too_much(self, begun_s: float) -> None:
        """Note a request, begun then, that the host refused for its load or did not answer."""
        with self._changed:
            self._limit.was_too_much(begun_s, self._clock(), self._requests)

    def now_s(self) -> float:
        """Return the time by the budget's clock, for `was_too_much` [s]."""
        return self._clock()

    def _take(self, size_bytes: int) -> None:
        """Take memory for this thread, or give it back if negative."""
        with self._changed:
            self._used_bytes += size_bytes
            self._held.size_bytes = getattr(self._held, "size_bytes", 0) + size_bytes
            self._changed.notify_all()

    def _has_room(self, size_bytes: int) -> bool:
        return self._used_bytes + size_bytes <= self._memory_bytes


class BlockCount:
    """How many blocks at a time make a transfer as fast as it gets."""

    def __init__(self, blocks: int, blocks_max: int, clock: Callable[[], float]) -> None:
        """Begin with so many blocks; `clock` gives monotonic seconds."""
        self.blocks = blocks
        self._blocks_max = blocks_max
        self._clock = clock
        self._since_s = clock()
        self._bytes = self._count = 0
        self._was_full = False
        self._before = 0.0  # bytes/s with fewer blocks; 0: not measured
        self._hold_until_s = float("-inf")

    def begin(self) -> None:
        """Note that a transfer begins after none: the time between them says nothing."""
        self._since_s, self._bytes, self._count = self._clock(), 0, 0

    def waited(self) -> None:
        """Note that a block was ready and had to wait: more of them might be faster."""
        self._was_full = True

    def sent(self, size_bytes: int) -> None:
        """Note a block that was sent; decides at the end of each window."""
        now_s = self._clock()
        self._bytes += size_bytes
        self._count += 1
        took_s = now_s - self._since_s
        if self._count < 2 * self.blocks or took_s < WINDOW_S:
            return
        if self._was_full and now_s >= self._hold_until_s:
            self._step(self._bytes / took_s, now_s)
        self._since_s, self._bytes, self._count, self._was_full = now_s, 0, 0, False

    def _step(self, speed: float, now_s: float) -> None:
        if self._before and speed < GROWTH * self._before:
            self.blocks = max(self.blocks - BLOCKS_STEP, 1)
            self._before, self._hold_until_s = 0.0, now_s + HOLD_S
        elif self.blocks < self._blocks_max:
            self.blocks = min(self.blocks + BLOCKS_STEP, self._blocks_max)
            self._before = speed
        else:
            self._before = 0.0
