# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The settler against random histories: never too early, never for ever, never confused."""

from __future__ import annotations

from core_script import A, B, look
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from twinsyncd.core.model import FileKey, Fingerprint
from twinsyncd.core.settle import MISS_CAP_S, Settler

QUIET_S = 4.0
KEYS = st.sampled_from([A, B, FileKey("two/bim", "tower.ifc")])
VERSIONS = st.integers(min_value=0, max_value=3)
MISSED_S = MISS_CAP_S + QUIET_S


class SettlerMachine(RuleBasedStateMachine):
    """Touches, looks, hashes and failures in any order, with answers that arrive when they like."""

    @initialize()
    def begin(self) -> None:
        self.settler = Settler(lambda _key: QUIET_S)
        self.now_s = 100.0
        self.looking: set[FileKey] = set()
        self.hashing: dict[FileKey, Fingerprint] = {}
        self.touched_s: dict[FileKey, float] = {}
        self.looked_s: dict[FileKey, list[tuple[float, Fingerprint]]] = {}

    @rule(step_s=st.sampled_from([0.0, 0.5, 1.0, 4.0, 60.0]))
    def time_passes(self, step_s: float) -> None:
        self.now_s += step_s

    @rule(key=KEYS)
    def is_touched(self, key: FileKey) -> None:
        self.settler.touched(key, self.now_s)
        self.touched_s[key] = self.now_s
        assert key in self.settler

    @rule(key=KEYS)
    def a_person_retries(self, key: FileKey) -> None:
        was_there = key in self.settler
        self.settler.begin_anew(key, self.now_s)
        assert (key in self.settler) is was_there

    @rule(key=KEYS, version=VERSIONS)
    def is_found(self, key: FileKey, version: int) -> None:
        self.settler.found(key, look(version), self.now_s)
        self.looked_s.setdefault(key, []).append((self.now_s, look(version)))
        assert key in self.settler

    @rule(limit=st.integers(min_value=1, max_value=3))
    def looks_are_asked_for(self, limit: int) -> None:
        due = self.settler.due(self.now_s, limit)
        assert len(due) <= limit
        assert not self.looking & set(due), "a look was asked for twice"
        assert not self.hashing.keys() & set(due), "a look during a hash"
        self.looking |= set(due)

    @precondition(lambda self: self.looking)
    @rule(data=st.data(), version=st.none() | VERSIONS)
    def a_look_is_answered(self, data: st.DataObject, version: int | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.looking)))
        self.looking.remove(key)
        seen = None if version is None else look(version)
        resting = self.settler.looked(key, seen, self.now_s)
        if resting is not None:
            self._must_rest(key, resting)
            self.hashing[key] = resting
        elif seen is None:
            self.looked_s.pop(key, None)
        else:
            self.looked_s.setdefault(key, []).append((self.now_s, seen))

    @precondition(lambda self: self.hashing)
    @rule(data=st.data())
    def a_hash_is_answered(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.hashing)))
        del self.hashing[key]
        settled = self.settler.hashed(key, self.now_s)
        assert settled == (key not in self.settler)

    @precondition(lambda self: self.looking or self.hashing)
    @rule(data=st.data())
    def an_answer_is_a_failure(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.looking | self.hashing.keys())))
        self.looking.discard(key)
        self.hashing.pop(key, None)
        assert self.settler.missed(key, self.now_s) >= 1
        assert key in self.settler

    @rule()
    def a_source_goes_offline(self) -> None:
        self.settler.forget_source(A.source)
        gone = {key for key in (*self.looking, *self.hashing) if key.source == A.source}
        self.looking -= gone
        self.hashing = {key: seen for key, seen in self.hashing.items() if key not in gone}
        assert self.settler.unsettled(A.source) == 0

    @invariant()
    def every_restless_file_has_a_next_step(self) -> None:
        waiting = len(self.settler) - len(self.looking) - len(self.hashing)
        deadline = self.settler.deadline()
        assert (deadline is not None) == (waiting > 0)
        assert deadline is None or deadline <= self.now_s + MISSED_S

    @invariant()
    def the_counts_agree(self) -> None:
        entries = self.settler._entries.values()
        failed = sum(not each.aside and each.unread > 1 for each in entries)
        soon = sum(map(self.settler.unsettled, (A.source, "two/bim")))
        assert len(self.settler) == soon + failed

    def _must_rest(self, key: FileKey, resting: Fingerprint) -> None:
        """Two equal looks a quiet time apart, and no hint since the first of them."""
        before = [at_s for at_s, seen in self.looked_s.get(key, []) if seen == resting]
        touched_s = self.touched_s.get(key, float("-inf"))
        assert any(touched_s <= at_s <= self.now_s - QUIET_S for at_s in before), "P1: too early"


SettlerMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
TestSettler = SettlerMachine.TestCase
