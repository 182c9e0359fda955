"""How a measurement is told: one line with the figure, what is asked, and its measure."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from .table import Row, record

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def say(what: str, figure: str, target: str, measure: str, *, is_met: bool | None = None) -> None:
    """Print one line, and add it to the table.

    `measure`: what the figure is to a limit or a peer in the same run. `is_met`: whether the target
    is reached; None: there is none.
    """
    load = os.getloadavg()[0]
    print(f"\n  {what}: {figure}  [target {target}]  {measure}  (load {load:.1f})", flush=True)
    record(Row(what, figure, ratio=measure, target=target, is_met=is_met))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


class Stopwatch:
    """Seconds that a context took."""

    def __init__(self) -> None:
        """Not started yet."""
        self.took_s = 0.0

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Time the context; fastest of several times when used again."""
        started_s = perf_counter()
        yield
        took_s = perf_counter() - started_s
        self.took_s = min(self.took_s or took_s, took_s)


def memory_mb(pid: int) -> tuple[float, float]:
    """Return what a process holds in memory, and the most it ever held [MB of 10^6 bytes]."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    kib = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return int(kib["VmRSS"]) * 1.024e-3, int(kib["VmHWM"]) * 1.024e-3


def processor_s(pid: int) -> float:
    """Return the processor time a process has used [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
