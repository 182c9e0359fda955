"""Bugs that the simulation found once: the world that showed each still does, and now keeps whole.

Each is planted anew as a mutant, so a world that changed and shows it no longer is noticed.
"""

from __future__ import annotations

import pytest

from .hunt import broken_by
from .mutants import MUTANTS

FOUND = {
    "a doubt on a drive that is away held up its connection's runs": (
        "doubt on a held file blocks runs",
        17,
    ),
    "an unreadable file came back only after a restart": ("unreadable file not found again", 17),
    "an unreadable file that was deleted was never missed": ("unreadable file never missed", 215),
    "a store that failed ended the patience another was asked for": (
        "a shorter wait ends a longer one",
        0,
    ),
    "a store that succeeded let a restart forget to be patient": (
        "wait forgotten when another store succeeds",
        37,
    ),
    "a look at an emptied share began the minute of a deletion": ("a look begins the minute", 0),
    "a late list made a file that had come back be forgotten": ("a late list outdoes a hint", 782),
    "a late store of an excluded file landed in our run": (
        "doubt of an excluded file forgotten",
        115315,
    ),
    "a folder that could not be listed waited for hours": (
        "broken folder waits for the next scan",
        5,
    ),
}


@pytest.mark.parametrize("rule", FOUND)
def test_a_bug_that_was_found_stays_found(rule: str) -> None:
    """What broke a promise once must not break it again, and must be seen if it does."""
    name, seed = FOUND[rule]
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)

    with mutant.planted():
        with_the_bug = broken_by(seed)

    assert broken_by(seed) == ""
    assert with_the_bug


@pytest.mark.parametrize(
    ("rule", "seed"),
    [
        ("a loss that was approved on one drive is none on another", 26320),
        ("a gone file of which a late store was refused is not left over in the cloud", 1650),
        ("a run on our connection that nobody asked for or found is not ours", 3709),
        ("a run that was there before we looked is nobody's that we could take for ours", 32297),
        ("a word that was long on its way takes nothing of a later one back", 235),
        ("a file to be stored again is looked for where somebody put it", 10109),
        ("a file that is missed while a long run covers it is gone once that has ended", 8976),
        ("of all that a file once was no source file is left", 11684),
        ("a file that is another one in the cloud by now is not refused for what it was", 7655),
    ],
)
def test_a_world_that_broke_once_stays_whole(rule: str, seed: int) -> None:
    """The first by a bug that cannot come back alone, the others by a watch that was too strict."""
    assert broken_by(seed) == "", rule
