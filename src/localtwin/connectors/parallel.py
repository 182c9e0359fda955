"""Work on several cores at once: in threads where numpy computes, in copies of the process else.

A copy is made by fork, so that it has all that was read without a transfer; it only sends what it
finds. Where there is no fork, or when a copy ends early, this process does its part.
"""

import os
import pickle
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Generic, TypeVar, TypeVarTuple

Job = TypeVarTuple("Job")
Key = TypeVar("Key")
Result = TypeVar("Result")

WORKERS_MAX = 4  # more share the memory's speed, and the file would have to be larger
BLOCK = 200  # keys that a copy works on before it sends what it found
_HAS_FORK = sys.platform == "linux"  # the frameworks of macOS do not survive it


def cores() -> int:
    """Return how many workers this machine has room for."""
    if sys.platform == "linux":
        return min(WORKERS_MAX, len(os.sched_getaffinity(0)))
    return min(WORKERS_MAX, os.cpu_count() or 1)


def in_threads(
    work: Callable[[*Job], Result], jobs: Iterator[tuple[*Job]], count: int
) -> Iterator[Result]:
    """Yield `work` of each job in their order; some jobs ahead are worked on meanwhile.

    Raises what the first job in order raises, and then what `jobs` raises.
    """
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[Result]] = deque()
        problem: Exception | None = None
        while problem is None:
            try:
                waiting.append(pool.submit(work, *next(jobs)))
            except StopIteration:
                break
            except Exception as exc:  # noqa: BLE001 (raised below, after the jobs before it)
                problem = exc
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if problem is not None:
            raise problem


def in_copies(
    work: Callable[[Key], Result], keys: Sequence[Key], count: int, *, block: int = BLOCK
) -> Generator[Result, None, None]:
    """Yield `work` of each key in their order, computed by copies of this process.

    `work` must not depend on what it was called for before. Raises what it raises.
    """
    blocks = [keys[at : at + block] for at in range(0, len(keys), block)]
    count = min(count, len(blocks)) if _HAS_FORK else 1
    if count < 2:
        yield from map(work, keys)
        return
    copies: list[_Copy] = []
    try:
        for place in range(count):
            copies.append(_Copy(work, blocks[place::count], copies))
        for place, each in enumerate(blocks):
            found = copies[place % count].next()
            yield from map(work, each) if found is None else found
    finally:
        for copy in copies:
            copy.close()


class Aside(Generic[Result]):
    """One piece of work that a copy of this process does; this one does it without copies."""

    def __init__(self, work: Callable[[], Result], count: int) -> None:
        self._copy: _Copy | None = None
        self._found: list[Result] | None = None
        if count > 1 and _HAS_FORK:
            self._copy = _Copy(lambda _: work(), [[None]], [])
        else:
            self._found = [work()]

    def result(self) -> Result | None:
        """Return what was found, once it is; None if the copy was lost."""
        if self._copy is not None:
            self._found = self._copy.next()
            self.close()
        return None if self._found is None else self._found[0]

    def close(self) -> None:
        """End the copy, if it still works."""
        if self._copy is not None:
            self._copy.close()
            self._copy = None


class _Copy:
    """A copy of this process, which sends what it finds for one block after another."""

    def __init__(
        self, work: Callable[[Any], Any], blocks: Sequence[Sequence[Any]], others: "list[_Copy]"
    ) -> None:
        self._from: BinaryIO | None = None
        self._process = 0
        try:
            reader, writer = os.pipe()
        except OSError:  # too many open files: this process does the work
            return
        try:
            self._process = _fork()
        except OSError:  # no memory or no process left
            os.close(reader)
            os.close(writer)
            return
        if not self._process:
            os.close(reader)
            for other in others:
                other.forget()
            _send(work, blocks, writer)
        os.close(writer)
        self._from = os.fdopen(reader, "rb")

    def next(self) -> list[Any] | None:
        """Return what was found for the next block; None if the copy has ended."""
        if self._from is None:
            return None
        try:
            found: list[Any] = pickle.load(self._from)  # noqa: S301 (from our own copy)
        except (EOFError, OSError, pickle.UnpicklingError):
            self.close()
            return None
        return found

    def forget(self) -> None:
        """Close this process's end of the pipe."""
        if self._from is not None:
            self._from.close()
            self._from = None

    def close(self) -> None:
        """End the copy."""
        self.forget()
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _fork() -> int:
    with warnings.catch_warnings():
        # Other threads only wait for input; the copy touches nothing that they hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _send(work: Callable[[Any], Any], blocks: Sequence[Sequence[Any]], writer: int) -> None:
    """Send what `work` finds for each block, and end this process, whatever happens."""
    try:
        with os.fdopen(writer, "wb") as out:
            for block in blocks:
                pickle.dump(list(map(work, block)), out, pickle.HIGHEST_PROTOCOL)
                out.flush()
    finally:
        os._exit(0)
