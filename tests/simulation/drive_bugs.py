# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Bugs about the drive: each takes a good function and returns a bad one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twinsyncd.core import commands, facts, safety
from twinsyncd.core.drive import Drive
from twinsyncd.core.model import ABSENT, FileKey, Now
from twinsyncd.core.settle import Settler
from twinsyncd.core.setup import Guard


def ignore(*kinds: type) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(self: Any, fact: Any, now: Now) -> None:
            if not isinstance(fact, kinds):
                good(self, fact, now)

        return bad

    return spoil


def gone_at_a_look(good: Any) -> Any:
    def bad(self: Drive, key: FileKey, now: Now) -> None:
        row = self.ledger.known(key)
        if row is not None and row.seen != ABSENT:
            self.ledger.change(key, seen=ABSENT, fingerprint=None)

    return bad


def blind_to_failed(good: Any) -> Any:
    def bad(self: Drive, fact: facts.Scanned, now: Now) -> None:
        rows = self.ledger._rows.every([fact.source])
        folders = {spot.path for spot in fact.blind}
        below = [r.key.path for r in rows if r.key.path.rpartition("/")[0] in folders]
        good(self, replace(fact, missing=(*fact.missing, *below)), now)

    return bad


def offline_as_empty(good: Any) -> Any:
    def bad(self: Drive, fact: facts.ScanFailed, now: Now) -> None:
        rows = self.ledger._rows.every([fact.source])
        missing = tuple(row.key.path for row in rows if row.seen != ABSENT)
        identity = self.watched[fact.source].row.identity
        self.scan_ended(facts.Scanned(fact.source, identity, len(missing), missing), now)

    return bad


def keep_fingerprint(good: Any) -> Any:
    return lambda row: replace(good(row), fingerprint=row.fingerprint)


def still_aside(good: Any) -> Any:
    def bad(self: Drive, fact: facts.Hashed, now: Now) -> None:
        aside = self.ledger.get(fact.key).aside
        good(self, fact, now)
        self.ledger.change(fact.key, aside=aside)

    return bad


def one_look(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, look: Any, now_s: float) -> Any:
        entry = self._entries.get(key)
        if entry is not None and entry.asked and look is not None:
            return look
        return good(self, key, look, now_s)

    return bad


def deaf_look(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, look: Any, now_s: float) -> Any:
        entry = self._entries.get(key)
        if entry is not None:
            entry.touched_s = -math.inf
        return good(self, key, look, now_s)

    return bad


def deaf_hash(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, now_s: float) -> bool:
        self.forget(key)
        return True

    return bad


def never_again(self: Drive, fact: facts.Scanned, now: Now) -> None:
    self.watched[fact.source].due_s = math.inf


def skip_unread(good: Any) -> Any:
    def bad(self: Drive, source: str, files: Any, now: Now) -> None:
        rows = self.ledger.known_among(source, [path for path, _ in files])
        unread = {path for path, row in rows.items() if row.unread}
        good(self, source, tuple(pair for pair in files if pair[0] not in unread), now)

    return bad


def drop_looks(good: Any) -> Any:
    """Forget that a file is being looked at once lists have missed it long enough."""

    def bad(self: Drive, watched: Any, moved: Any, now: Now) -> None:
        for path in safety.confirmed(watched.missing, now.at_s):
            self.settler.forget(FileKey(watched.source.key, path))
        good(self, watched, moved, now)

    return bad


# ---- approvals --------------------------------------------------------------------------


def any_loss(good: Any) -> Any:
    return lambda known, missing, guard, approved=0: not approved and good(known, missing, guard)


def hasty_idle(_good: Any) -> Any:
    def bad(self: Drive) -> bool:
        told = all(w.scanned and not w.scanning for w in self.watched.values())
        return told and not len(self.settler) and not self.hash_queue.is_busy

    return bad


def usual_guard(good: Any) -> Any:
    return lambda known, missing, _guard, approved=0: good(known, missing, Guard(), approved)


def forget_accepted(good: Any) -> Any:
    def bad(self: Drive, fact: facts.ScanFailed, now: Now) -> None:
        before = self.watched[fact.source].row.identity
        good(self, fact, now)
        watched = self.watched[fact.source]
        watched.row = self.changed[fact.source] = replace(watched.row, identity=before)

    return bad


def any_drive(good: Any) -> Any:
    def bad(row: Any) -> commands.Scan:
        scan: commands.Scan = good(row)
        return replace(scan, identity="") if row.approved else scan

    return bad


def never_used_up(good: Any) -> Any:
    def bad(self: Drive, fact: facts.Scanned, now: Now) -> None:
        watched = self.watched[fact.source]
        before = watched.row
        good(self, fact, now)
        if before.approved:
            watched.row = replace(
                watched.row,
                approved=True,
                drive=before.drive,
                missing_count=before.missing_count,
                missing_mark=before.missing_mark,
            )

    return bad


def approve_any_names(good: Any) -> Any:
    """Let an approval cover as many missing files as were shown, whichever they are."""

    def bad(row: Any, drive: str, *files: Any) -> int:
        return row.missing_count if row.approved and row.drive == drive else 0

    return bad
