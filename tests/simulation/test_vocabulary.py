"""Every word the machine knows is spoken somewhere in the simulated worlds."""

from __future__ import annotations

from typing import get_args

from twinsyncd.core.commands import CloudCommand, DriveCommand
from twinsyncd.core.facts import DriveFact, PersonFact, RunFact, StorageFact, Ticked
from twinsyncd.core.model import Failure, Fault

from .world import World

SEEDS_MAX = 200  # fewer are lived, as it ends with the last word
KINDS = (DriveFact, StorageFact, RunFact, PersonFact, DriveCommand, CloudCommand)


def test_every_fact_command_and_fault_is_used_by_some_world() -> None:
    """A word that no world speaks is a rule that nothing has tried."""
    missing: set[object] = {Ticked, *Fault, *(word for kind in KINDS for word in get_args(kind))}

    for seed in range(SEEDS_MAX):
        if missing:
            missing -= _spoken(seed)

    assert missing == set()


def _spoken(seed: int) -> set[object]:
    world, words = World(seed), set[object]()
    world.run()
    for _, heard, decision in world.story:
        for word in (*heard, *(decision.commands if decision else ())):
            failure = getattr(word, "failure", None)
            words.add(type(word))
            if isinstance(failure, Failure):
                words.add(failure.fault)
    return words
