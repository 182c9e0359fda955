"""Some planted bugs, those that show within a few seeds; `make mutants` plants them all."""

from __future__ import annotations

import pytest

from .hunt import hunt
from .mutants import MUTANTS, Mutant
from .world import World

SEEDS = 20
SLOW = {
    "a renaming is never through",
    "what is to go stays",
    "renamed in Storage during a run",
    "a pause never ends",
    "what came back is still to go",
    "a dead source file is left in its connection",
    "an ended run not remembered",
    "runs of a restored service believed",
    "a long run is given up",
    "a long run is never told",
    "a long run is told at each look",
    "a short run is told as long",
    "an approval is never used up",
    "an approval lets any drive pass",
    "an approval lets any loss pass",
    "an approval of what was not shown",
    "hash accepted although touched",
    "a late list outdoes a hint",
    "late effects not waited out",
    "wait forgotten when another store succeeds",
    "connection forgotten at restart",
    "lost hints ignored",
    "unlisted folder proves deletion",
    "no guard against mass deletion",
    "idle before the scan has ended",
    "configured guard ignored",
    "fingerprint kept when gone",
    "unreadable file not found again",
    "unreadable file never missed",
    "drive forgotten at restart",
}
QUICK = [mutant for mutant in MUTANTS if mutant.name not in SLOW]


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught_within_a_few_worlds(mutant: Mutant) -> None:
    """A simulation that catches nothing proves nothing."""
    catch = hunt(mutant, SEEDS)

    assert catch.promise, f"{mutant.name} survived {SEEDS} seeds"


def test_a_mutant_leaves_the_core_as_it_was() -> None:
    """A bug that stays planted would spoil whatever is tested next."""
    before = [owner.__dict__[name] for mutant in MUTANTS for owner, name, _ in mutant.patches]

    for mutant in MUTANTS:
        with mutant.planted():
            World(0)

    after = [owner.__dict__[name] for mutant in MUTANTS for owner, name, _ in mutant.patches]
    assert before == after
