"""What a process holds over hours: memory, descriptors, threads; as a verdict and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Final

import psutil

WARM_UP: Final = 0.25  # this share of the samples is not judged: caches and pools fill
GROWTH_MAX_MB: Final = 5.0
GROWTH_MAX: Final = {"descriptors": 5.0, "threads": 3.0}  # pools come and go by a few
LEAST: Final = 8  # fewer samples than this say nothing

_WIDTH, _HEIGHT, _MARGIN = 800, 180, 40


@dataclass(frozen=True)
class Sample:
    """One look at a process and its children."""

    at_s: float
    memory_mb: float
    descriptors: float
    threads: float


def look(pid: int, at_s: float) -> Sample:
    """Return what the process and its children hold now; one that ends meanwhile holds nothing."""
    process = psutil.Process(pid)
    memory, descriptors, threads = 0, 0, 0
    for each in (process, *process.children(recursive=True)):
        try:
            with each.oneshot():
                memory += each.memory_info().rss
                descriptors += each.num_fds()
                threads += each.num_threads()
        except psutil.NoSuchProcess:
            continue
    return Sample(at_s, memory / 1024**2, descriptors, threads)


def growth(values: Sequence[float]) -> float:
    """Return how much more it is in the last tenth than in the first after the warm-up.

    Medians, so that a peak is no growth.
    """
    judged = values[int(len(values) * WARM_UP) :]
    share = max(len(judged) // 10, 1)
    return median(judged[-share:]) - median(judged[:share])


def complaints(samples: Sequence[Sample]) -> list[str]:
    """Return what grew more than it may; nothing if all is well."""
    if len(samples) < LEAST:
        return [f"only {len(samples)} samples, which say nothing; let it run longer"]
    limits = {"memory_mb": GROWTH_MAX_MB, **GROWTH_MAX}
    grown = {name: growth([getattr(each, name) for each in samples]) for name in limits}
    return [
        f"{name} grew by {grown[name]:.1f}, more than {limit:g}"
        for name, limit in limits.items()
        if grown[name] > limit
    ]


def write_table(samples: Sequence[Sample], file: Path) -> None:
    """Write one line per sample."""
    names = [each.name for each in fields(Sample)]
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(names)
        rows.writerows([getattr(each, name) for name in names] for each in samples)


def write_picture(samples: Sequence[Sample], file: Path) -> None:
    """Write an SVG with a curve for each of the three, over time."""
    names = [each.name for each in fields(Sample)[1:]]
    curves = "".join(_curve(samples, name, row) for row, name in enumerate(names))
    size = f'width="{_WIDTH}" height="{_HEIGHT * len(names)}"'
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{curves}</svg>\n')


def _curve(samples: Sequence[Sample], name: str, row: int) -> str:
    values = [getattr(each, name) for each in samples]
    to_x = _scale([each.at_s for each in samples], _MARGIN, _WIDTH - _MARGIN)
    to_y = _scale([0.0, max(values)], _HEIGHT * (row + 1) - _MARGIN, _HEIGHT * row + _MARGIN)
    pairs = zip(samples, values, strict=True)
    points = " ".join(f"{to_x(each.at_s):.1f},{to_y(value):.1f}" for each, value in pairs)
    title = f"{name}: {min(values):,.1f} to {max(values):,.1f}, grown by {growth(values):+.1f}"
    line = f'<polyline fill="none" stroke="black" points="{points}"/>'
    return f'<text x="{_MARGIN}" y="{_HEIGHT * row + 25}">{title}</text>{line}'


def _scale(values: Sequence[float], first: float, last: float) -> Callable[[float], float]:
    low, span = min(values), (max(values) - min(values)) or 1.0
    return lambda value: first + (value - low) / span * (last - first)
