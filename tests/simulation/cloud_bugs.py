# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Bugs about what others do in the cloud; each takes a good function and returns a bad one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twinsyncd.core import facts
from twinsyncd.core.comparison import Comparisons
from twinsyncd.core.model import Now
from twinsyncd.core.remotes import Remotes


def never_compare(good: Any) -> Any:
    """Count every comparison as done without asking."""

    def bad(self: Comparisons, connections: Any, now: Now) -> None:
        for connection in connections:
            if self.due_s[connection] <= now.at_s:
                self._done(connection, now)

    return bad


def believe(*kinds: facts.Differs) -> Callable[[Any], Any]:
    """Overlook some kinds of differences."""

    def spoil(good: Any) -> Any:
        def bad(self: Comparisons, difference: facts.Difference, now: Now) -> None:
            if difference.differs not in kinds:
                good(self, difference, now)

        return bad

    return spoil


def keep_synced(good: Any) -> Any:
    """Bring the content back, and believe that the iModel has it all the same."""

    def bad(self: Comparisons, difference: facts.Difference, now: Now) -> None:
        before = self.ledger.get(difference.key).synced
        good(self, difference, now)
        self.ledger.change(difference.key, synced=before)

    return bad


def keep_aside(good: Any) -> Any:
    """Leave a file set aside that Storage lost."""

    def bad(self: Comparisons, difference: facts.Difference, now: Now) -> None:
        before = self.ledger.get(difference.key)
        good(self, difference, now)
        if before.aside:
            self.ledger.put(before)

    return bad


def trust_runs(good: Any) -> Any:
    """Believe what a run proved that the service does not know any more."""

    def bad(self: Comparisons, fact: facts.CompareFact, now: Now) -> None:
        if isinstance(fact, facts.Compared):
            fact = replace(fact, last_run_known=True)
        good(self, fact, now)

    return bad


def silence_as_proof(good: Any) -> Any:
    """Take a comparison that failed for one that found nothing."""

    def bad(self: Comparisons, fact: facts.CompareFact, now: Now) -> None:
        if isinstance(fact, facts.CompareFailed):
            fact = facts.Compared(fact.connection)
        good(self, fact, now)

    return bad


def leave_the_dead(good: Any) -> Any:
    """Forget which source file a new one takes the place of."""
    return lambda row, storage_id: replace(good(row, storage_id), replaces=())


def compare_later(good: Any) -> Any:
    """Compare nothing at a start; a request still does."""

    def bad(self: Comparisons, connections: Any, now: Now) -> None:
        for connection in connections:
            self.due_s[connection] = math.inf

    return bad


def change_without(*fields: str) -> Callable[[Any], Any]:
    """Lose some fields of every change to a connection's row."""

    def spoil(good: Any) -> Any:
        def bad(self: Remotes, connection: str, **changes: Any) -> None:
            good(self, connection, **{k: v for k, v in changes.items() if k not in fields})

        return bad

    return spoil
