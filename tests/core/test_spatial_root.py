# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The file that decides where the iModel is goes in first, and holds up nothing for long."""

from __future__ import annotations

from core_script import (
    LOOK_AT_RUN,
    START,
    STARTED,
    A,
    B,
    Script,
    ended,
    is_idle,
    prepare,
    prepared,
    result,
    settles_meanwhile,
    stored,
)

from twinsyncd.core import facts
from twinsyncd.core.results import Outcome


def two_stored() -> Script:
    """Two new files in Storage, the second of them the spatial root; nothing was ever synced."""
    script = is_idle()
    script.comes_first = lambda key: key == B
    for key in (A, B):
        settles_meanwhile(script, key, 1).meanwhile(stored(key, 1))
    return script


def running_with_the_root() -> Script:
    """The same, and the first run is looked at."""
    script = two_stored().hears(after_s=25).says(prepare(B, remote="")).hears(prepared(B))
    script.says(START).hears(STARTED).says()
    return script.hears(after_s=0.25).says(LOOK_AT_RUN)


def test_into_an_empty_imodel_the_spatial_root_goes_alone() -> None:
    """The first file with coordinates decides where the iModel is."""
    script = two_stored().hears(after_s=25).says(prepare(B, remote=""))

    script.hears(prepared(B)).says(START).remembers(B, covered="v1").remembers(A, covered="")
    script.hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    script.hears(ended(Outcome.SUCCEEDED, result(B))).says(prepare(A))

    script.remembers(B, synced="v1")


def test_later_the_root_is_only_the_first_of_its_run() -> None:
    """Where the iModel is, is decided; another run for each edit would take twice as long."""
    script = running_with_the_root()
    script.hears(ended(Outcome.SUCCEEDED, result(B))).says(prepare(A))
    script.hears(prepared(A)).says(START).hears(facts.RunStarted("one", "run-2")).says()
    settles_meanwhile(script, A, 2)
    settles_meanwhile(script, B, 2)
    script.meanwhile(ended(Outcome.SUCCEEDED, result(A), run="run-2"))
    script.meanwhile(stored(A, 2)).meanwhile(stored(B, 2))

    script.hears(after_s=25).says(prepare(B, A))


def test_a_root_that_fails_does_not_hold_up_the_others() -> None:
    """A survey that cannot be read must not keep a whole office waiting."""
    script = running_with_the_root()

    script.hears(ended(Outcome.FAILED, result(B, Outcome.FAILED))).says(prepare(B, A))


def test_without_a_root_all_go_at_once() -> None:
    """Most offices name none."""
    script = two_stored()
    script.comes_first = lambda _key: False

    script.hears(after_s=25).says(prepare(A, B, remote=""))
