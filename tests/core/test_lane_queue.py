# mypy: disable-error-code="arg-type,dict-item"
# Keys, ids and digests are written as plain text here.
"""Of many iModels, only those are asked what to do that a fact is about, or whose time has come."""

from __future__ import annotations

from core_script import SELDOM_S, Script, failure, hashed, read, saw, store

from twinsyncd.core import facts
from twinsyncd.core.lane_queue import ALL_S, ENTRIES_EACH, LaneQueue
from twinsyncd.core.model import Fault, FileKey, Now
from twinsyncd.core.places import Places
from twinsyncd.core.setup import Connection, Source

NAMES = [f"office {number}" for number in range(20)]
KEYS = [FileKey(f"{name}/cad", "a.dgn") for name in NAMES]


def offices() -> Script:
    """Begin with many iModels whose drives are scanned and empty."""
    script = Script(
        connections=[Connection(name, f"imodel of {name}") for name in NAMES],
        sources=[Source(key.source, key.source[:-4], scan_every_s=SELDOM_S) for key in KEYS],
    )
    scanned = [facts.Scanned(key.source, "drive", 0) for key in KEYS]
    return script.meanwhile().meanwhile(*scanned).meanwhile(after_s=ALL_S).meanwhile()


def asked(script: Script) -> list[str]:
    """Return the iModels that were asked by the last decision."""
    return list(script.machine._queue.asked)


def test_a_fact_about_one_imodel_asks_no_other() -> None:
    """With a thousand iModels, asking each after every fact takes most of a processor."""
    script = offices()

    script.meanwhile(facts.Touched(KEYS[3]), facts.Touched(KEYS[7]))

    assert asked(script) == [f"imodel of {NAMES[3]}", f"imodel of {NAMES[7]}"]


def test_an_imodel_whose_wait_is_over_is_asked_without_a_fact() -> None:
    """A store that failed is tried again at its time, whatever the others do."""
    script = offices().meanwhile(facts.Touched(KEYS[3])).meanwhile(saw(KEYS[3], 1))
    script.meanwhile(after_s=5).meanwhile(saw(KEYS[3], 1)).says(read(KEYS[3], 1))
    command = store(KEYS[3], 1, connection=NAMES[3])
    script.hears(hashed(KEYS[3], 1)).says(command)

    script.hears(facts.StoreFailed(KEYS[3], failure(Fault.TRANSIENT))).says()

    script.hears(after_s=1).says(command)
    script.works()


class Restless:
    """A lane that is due soon after each time it was asked, and then tomorrow, in turn."""

    def __init__(self) -> None:
        self.asked = 0

    def plan(self, _now: Now) -> tuple[()]:
        self.asked += 1
        return ()

    def deadline(self, now: Now) -> float:
        return now.at_s + 1.0 if self.asked % 2 else 86_400.0

    def is_idle(self) -> bool:
        return True


def test_a_busy_day_leaves_nothing_behind() -> None:
    """Each save makes its lane due soon, and then again for the next comparison, a day away."""
    lanes = {"one": Restless(), "two": Restless()}
    queue = LaneQueue(lanes, Places())

    for second in range(20 * ENTRIES_EACH):
        queue.plan(Now(2.0 * second, 0.0))
        queue.wake("one")

    assert lanes["one"].asked == 20 * ENTRIES_EACH
    assert len(queue._heap) <= ENTRIES_EACH * len(lanes)
    assert queue.deadline(Now(2.0, 0.0)) == 86_400.0


def test_all_imodels_are_asked_now_and_then_whatever_woke_the_machine() -> None:
    """What one lane should have announced and did not costs a minute, never a stall."""
    script = offices().meanwhile(after_s=ALL_S - 1).meanwhile(facts.Touched(KEYS[3]))
    assert asked(script) == [f"imodel of {NAMES[3]}"]

    script.meanwhile(facts.Touched(KEYS[3]), after_s=1)

    assert asked(script) == [f"imodel of {name}" for name in NAMES]
