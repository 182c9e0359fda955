"""Runs ifc_shape_builder: several processes at once, each replaced when it crashes or hangs.

What one shape does to its process costs that shape alone: the shapes that were under way with it
are tried again, one at a time. Threads are needed to wait for several processes at once.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from localtwin.connectors.ifc_shape_models import Shape, ShapeModels
from localtwin.connectors.ifc_shape_results import TOTAL_S, Built, Results

BUILDER = "localtwin.connectors.ifc_shape_builder"
PROCESSES_MAX = 4  # each needs a core and some 100 MB
BATCH = 100  # shapes in one order; their common parts are sent once
CHARACTERS_MAX = 8_000_000  # of one order, unless a single shape has more
SILENCE_S = 30.0  # without any shape done; single ones take far less than a second
LOST_MAX = 30  # processes; with more, the library does not work here

NOT_BUILT = "could not be built by the geometry library"
CRASHED = "made the geometry library crash"
TOO_LONG = f"took longer than {SILENCE_S:.0f} s to build"


class ShapeProcesses:
    """Builds shapes; the results can be asked for by the number of the product.

    `silence_s` and `total_s` limit the time without a result and the whole time,
    `characters_max` the order to a process.
    """

    def __init__(
        self,
        models: ShapeModels,
        shapes: Sequence[Shape],
        *,
        decimals: int,
        silence_s: float = SILENCE_S,
        total_s: float = TOTAL_S,
        characters_max: int = CHARACTERS_MAX,
        module: str = BUILDER,
    ) -> None:
        self._models = models
        self._characters_max = characters_max
        self._decimals = decimals
        self._module, self._silence_s = module, silence_s
        self._end_s = time.monotonic() + total_s
        self._batches = _batches(models, shapes)
        self._results = Results([key for shape in shapes for key, _ in shape.items])
        self._lock = threading.Lock()
        self._lost = 0
        self._running: set[_Builder] = set()
        count = min(PROCESSES_MAX, os.cpu_count() or 1, -(-len(shapes) // BATCH))
        self._working = count
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def result(self, key: str) -> Built | str:
        """Return box and plan of a product, or why there are none; waits until it is known."""
        return self._results.of(key)

    def close(self) -> None:
        """End the processes at once."""
        self._end_s = 0.0
        with self._lock:
            running = list(self._running)
        for builder in running:
            builder.kill()
        for thread in self._threads:
            thread.join()
        self._results.close()

    def _work(self) -> None:
        builder: _Builder | None = None
        try:
            while (batch := self._next()) is not None:
                builder = self._built(builder, batch)
        finally:
            if builder is not None:
                self._discard(builder)
            with self._lock:
                self._working -= 1
                is_last = not self._working
            if is_last:
                self._results.give_up()

    def _next(self) -> list[Shape] | None:
        with self._lock:
            if self._is_over():
                return None
            return next(self._batches, None)

    def _built(self, builder: "_Builder | None", batch: list[Shape]) -> "_Builder | None":
        """Build a batch, part by part if it is too long for one order."""
        text, products = self._models.text(batch)
        if len(text) > self._characters_max and len(batch) > 1:
            half = len(batch) // 2
            return self._built(self._built(builder, batch[:half]), batch[half:])
        builder, left = self._tried(builder, batch, text, products)
        for shape in left if len(batch) > 1 else ():
            if self._is_over():
                break
            builder, _ = self._tried(builder, [shape], *self._models.text([shape]))
        return builder

    def _is_over(self) -> bool:
        return time.monotonic() > self._end_s or self._lost > LOST_MAX

    def _tried(
        self,
        builder: "_Builder | None",
        batch: list[Shape],
        text: str,
        products: Mapping[str, Shape],
    ) -> tuple["_Builder | None", list[Shape]]:
        """Return the process, None if it was lost, and the shapes that are to be tried again."""
        builder = builder or self._start()
        items = {number: shape.items for number, shape in products.items()}
        is_plane = self._models.is_plane(batch[0])
        order = {"step": text, "decimals": self._decimals, "plane": is_plane, "items": items}
        for answer in builder.answers(order, until_s=self._end_s):
            self._results.add(answer)
        if builder.ended_well:
            if len(batch) == 1 or not builder.had_problem:
                self._results.fail(batch, NOT_BUILT)
            return builder, self._open(batch)
        self._discard(builder)
        with self._lock:
            self._lost += 1
        if len(batch) == 1 and not self._is_over():
            self._results.fail(batch, TOO_LONG if builder.was_late else CRASHED)
        return None, self._open(batch)

    def _open(self, batch: list[Shape]) -> list[Shape]:
        return [shape for shape in batch if not self._results.has(shape)]

    def _start(self) -> "_Builder":
        builder = _Builder(self._module, self._silence_s)
        with self._lock:
            self._running.add(builder)
            if self._is_over():  # `close` may have looked already
                builder.kill()
        return builder

    def _discard(self, builder: "_Builder") -> None:
        with self._lock:
            self._running.discard(builder)
        builder.close()


def _batches(models: ShapeModels, shapes: Sequence[Shape]) -> Iterator[list[Shape]]:
    """Yield shapes that are alike in being plane or not, so many at a time."""
    batches: dict[bool, list[Shape]] = {True: [], False: []}
    for shape in shapes:
        batch = batches[models.is_plane(shape)]
        batch.append(shape)
        if len(batch) == BATCH:
            yield batch.copy()
            batch.clear()
    yield from filter(None, batches.values())


class _Builder:
    """One process; used by one thread, killed by any."""

    def __init__(self, module: str, silence_s: float) -> None:
        self._silence_s = silence_s
        self.was_late = False
        self.ended_well = False
        self.had_problem = False
        self._process = subprocess.Popen(  # noqa: S603 (our interpreter, a module of the caller)
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def answers(self, order: Mapping[str, Any], *, until_s: float) -> Iterator[dict[str, Any]]:
        """Yield the answers to an order, as long as `until_s` of the monotonic clock is not over.

        `ended_well` is true then if the process survived it, `had_problem` if it stopped halfway.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.ended_well = self.had_problem = False
        watch = _Watch(self._late, self._silence_s, until_s)
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            while line := self._process.stdout.readline():
                watch.restart()
                answer: dict[str, Any] = json.loads(line)
                if not answer:
                    self.ended_well = True
                    return
                if "problem" in answer:
                    self.had_problem = True
                else:
                    yield answer
        except (OSError, ValueError):  # its end: a broken pipe, or half a line
            return
        finally:
            watch.stop()

    def kill(self) -> None:
        """End the process; the thread that uses it then sees the end of its output."""
        self._process.kill()

    def close(self) -> None:
        """End the process and forget it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except OSError:  # what was buffered for a dead process can't be flushed
                continue

    def _late(self) -> None:
        self.was_late = True
        self._process.kill()


class _Watch:
    """Calls `late` once: when it was not restarted for so long, or when the time is over."""

    def __init__(self, late: Callable[[], None], silence_s: float, until_s: float) -> None:
        self._late, self._silence_s, self._until_s = late, silence_s, until_s
        self._restarted = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def restart(self) -> None:
        self._restarted.set()

    def stop(self) -> None:
        self._stopped = True
        self._restarted.set()
        self._thread.join()

    def _wait(self) -> None:
        while not self._stopped:
            left_s = self._until_s - time.monotonic()
            if left_s <= 0 or not self._restarted.wait(min(self._silence_s, left_s)):
                self._late()
                return
            self._restarted.clear()
