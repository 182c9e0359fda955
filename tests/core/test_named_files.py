# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A connection whose runs must be given their files: which ones, with which content."""

from __future__ import annotations

from dataclasses import replace

from core_script import (
    LOOK_AT_RUN,
    ONE,
    STARTED,
    SUCCEEDED,
    A,
    B,
    Script,
    ended,
    prepare,
    prepared,
    preparing,
    result,
    settles,
    storage_id,
    store,
    stored,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.commands import NamedFile
from twinsyncd.core.model import FileKey
from twinsyncd.core.results import Outcome


def start(*files: NamedFile) -> commands.StartRun:
    """Ask for a run over these files."""
    return commands.StartRun("one", "remote", files)


def named(key: FileKey, version: int, *, covered: bool = True) -> NamedFile:
    """The nth save of a file, as a run is given it."""
    return NamedFile(key, storage_id(key), f"v{version}", covered)


def asked() -> Script:
    """A run for the first save of A has been asked for."""
    script = preparing(connections=[replace(ONE, names_files=True)])
    return script.hears(prepared(A)).says(start(named(A, 1)))


def test_a_run_is_given_what_it_is_for_and_what_is_as_it_was() -> None:
    """The service fetches exactly these; a reference that is not named is missing there."""
    script = asked().hears(STARTED).says()
    script.hears(after_s=0.25).says(LOOK_AT_RUN).hears(SUCCEEDED).says()

    settles(script, B, 1, store(B, 1)).hears(stored(B, 1)).says()
    script.hears(after_s=60.0).says(prepare(B)).hears(prepared(B))

    script.says(start(named(A, 1, covered=False), named(B, 1)))
    script.hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    script.hears(ended(Outcome.SUCCEEDED, result(B))).says().remembers(B, synced="v1")


def test_a_start_that_is_repeated_after_a_crash_names_the_same_files() -> None:
    """What the run covers was committed before it was asked for (P8)."""
    script = asked().dies().hears()
    look = commands.FindRun("one", "remote")
    assert look in script.said

    script.meanwhile(facts.RunFound("one", ""))

    assert start(named(A, 1)) in script.said
