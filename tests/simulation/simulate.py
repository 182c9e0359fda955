"""Runs many seeds on all cores and prints what they did; each failing one with its replay."""

from __future__ import annotations

import gc
import os
import time
from dataclasses import dataclass
from multiprocessing import Pool

from .world import World

SHOWN_MAX = 20  # broken seeds; the others are only counted
COLLECTED = 5  # worlds: a few megabytes each
CHUNK = 20  # seeds handed to a process at a time


@dataclass(frozen=True)
class Life:
    """What one world saw; `broken` is "" if it kept every promise."""

    seed: int
    broken: str
    virtual_s: float
    crashes: int
    facts: int
    commands: int


def live(seed: int) -> Life:
    """Run one world; the garbage of several is collected at once."""
    if seed % COLLECTED == 0:
        gc.collect()
    world, broken = World(seed), ""
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed is worth knowing
        broken = f"{type(error).__name__}: {error}"
    return Life(seed, broken, world.now_s, world.crashes, world.heard, world.begun)


def main(first: int, seeds: int) -> int:
    """Run the seeds and print the figures; 1 if any promise broke."""
    processes = os.cpu_count() or 1
    began_s = time.perf_counter()
    with Pool(processes, initializer=gc.disable) as pool:
        lives = list(pool.imap_unordered(live, range(first, first + seeds), CHUNK))
    took_s = time.perf_counter() - began_s
    broken = sorted((life for life in lives if life.broken), key=lambda life: life.seed)
    for life in broken[:SHOWN_MAX]:
        print(f"seed {life.seed}: {life.broken}")
        print(f"  replay: cd tests && python -m simulation {life.seed}")
    print(f"seeds          {seeds:12,}  ({len(broken)} broken)")
    print(f"seeds/s        {seeds / took_s:12.1f}  ({took_s:.0f} s on {processes} processes)")
    print(f"virtual hours  {sum(life.virtual_s for life in lives) / 3600:12,.0f}")
    print(f"crashes        {sum(life.crashes for life in lives):12,}")
    print(f"facts          {sum(life.facts for life in lives):12,}")
    print(f"commands       {sum(life.commands for life in lives):12,}")
    return int(bool(broken))
