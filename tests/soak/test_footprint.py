"""What counts as growth over hours, and what does not."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from .footprint import Sample, complaints, growth, look, write_picture, write_table


def samples(memory_mb: Callable[[int], float], count: int = 200) -> list[Sample]:
    return [Sample(float(i), memory_mb(i), 30.0, 12.0) for i in range(count)]


@pytest.mark.parametrize(
    "memory_mb",
    [
        lambda _: 90.0,
        lambda i: min(60.0 + i, 90.0),  # it warms up
        lambda i: 90.0 + 3 * math.sin(i),
        lambda i: 400.0 if i in (60, 199) else 90.0,  # a large file passes
        lambda i: 90.0 - i / 100,
    ],
    ids=["flat", "warm-up", "noise", "peaks", "shrinks"],
)
def test_what_does_not_grow_is_good(memory_mb: Callable[[int], float]) -> None:
    """A soak that cries wolf is not run."""
    assert complaints(samples(memory_mb)) == []


def test_a_slow_leak_is_found() -> None:
    """A megabyte an hour ends a service within months."""
    [found] = complaints(samples(lambda i: 90.0 + i * 0.05))

    assert found.startswith("memory_mb grew by 6.8")


def test_descriptors_and_threads_count_too() -> None:
    """A thousand of them end a service as surely as memory does."""
    held = [Sample(float(i), 90.0, 30.0 + i / 10, 12.0 + i / 20) for i in range(200)]

    assert [each.partition(" ")[0] for each in complaints(held)] == ["descriptors", "threads"]


def test_few_samples_say_nothing() -> None:
    """A run that broke off must not count as good."""
    assert "say nothing" in complaints(samples(lambda _: 90.0, 5))[0]


def test_growth_is_between_the_warm_up_and_the_end() -> None:
    """In the unit of the values."""
    assert growth([0.0] * 25 + [10.0] * 10 + [20.0] * 65) == 10.0 + 0.0


def test_a_look_counts_what_this_process_holds(tmp_path: Path) -> None:
    """Its descriptors as the kernel has them."""
    before = look(os.getpid(), 0.0)
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        after = look(os.getpid(), 1.0)

    assert after.descriptors - before.descriptors == 2
    assert after.memory_mb > 1
    assert after.threads >= 1


def test_table_and_picture_have_every_sample(tmp_path: Path) -> None:
    """Whoever looks for a leak wants to see when it began."""
    held = samples(lambda i: 90.0 + i, 50)

    write_table(held, tmp_path / "t.csv")
    write_picture(held, tmp_path / "p.svg")

    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [float(row["memory_mb"]) for row in rows] == [each.memory_mb for each in held]
    curves = ET.parse(tmp_path / "p.svg").getroot().findall("{*}polyline")  # noqa: S314 - ours
    assert [len(curve.attrib["points"].split()) for curve in curves] == [50, 50, 50]
