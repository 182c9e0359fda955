"""Looks for the seed that catches each mutant, and prints a table."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import Pool

from .mutants import MUTANTS, Mutant
from .world import World

SEEDS_MAX = 1500  # a bug that shows less often than this needs a better world


@dataclass(frozen=True)
class Catch:
    """How a mutant fared; `promise` is "" if it survived."""

    mutant: str
    promise: str
    seeds: int
    took_s: float


def hunt(mutant: Mutant, seeds: int = SEEDS_MAX) -> Catch:
    """Run worlds with the bug planted until one notices."""
    began_s = time.perf_counter()
    for seed in range(mutant.first, mutant.first + seeds):
        with mutant.planted():
            promise = broken_by(seed)
        if promise and not broken_by(seed):  # it is the mutant, not the world
            return Catch(
                _title(mutant), promise, seed + 1 - mutant.first, time.perf_counter() - began_s
            )
    return Catch(_title(mutant), "", seeds, time.perf_counter() - began_s)


def _title(mutant: Mutant) -> str:
    return f"{mutant.name} (from {mutant.first})" if mutant.first else mutant.name


def broken_by(seed: int) -> str:
    """Return which promise breaks in this world, or what else gives way; "" if nothing does."""
    try:
        World(seed).run()
    except AssertionError as broken:
        promise, colon, _ = str(broken).partition(":")
        return promise if colon and promise.startswith("P") else "the core's own assertion"
    except Exception as error:  # noqa: BLE001 - a planted bug may break anything
        return type(error).__name__
    return ""


def main() -> int:
    """Print the table; 1 if any mutant survives."""
    with Pool(2) as pool:
        catches = _shown(pool.imap(_hunt_number, range(len(MUTANTS))))
    caught = sum(bool(catch.promise) for catch in catches)
    print(f"{caught} of {len(catches)} mutants caught")
    return int(caught < len(catches))


def _hunt_number(number: int) -> Catch:
    return hunt(MUTANTS[number])


def _shown(catches: Iterable[Catch]) -> list[Catch]:
    print(f"{'mutant':44} {'caught by':26} {'seeds':>6} {'time':>8}")
    shown = []
    for catch in catches:
        promise = catch.promise or "NOTHING"
        print(f"{catch.mutant:44} {promise:26} {catch.seeds:6} {catch.took_s:7.1f}s", flush=True)
        shown.append(catch)
    return shown
