# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Bugs about renames, removals and pauses; each takes a good function and returns a bad one."""

from __future__ import annotations

from itertools import islice
from typing import Any

from twinsyncd.core import commands, facts
from twinsyncd.core.drive import Drive
from twinsyncd.core.file_changes import with_storage_id
from twinsyncd.core.lane import Lane
from twinsyncd.core.ledger import Ledger
from twinsyncd.core.model import ConnectionKey, FileRow, Need, Now, OnDelete, Phase
from twinsyncd.core.placements import Placements
from twinsyncd.core.removals import FILES_MAX, Removals
from twinsyncd.core.row_lookup import RowLookup
from twinsyncd.core.stores import Stores


def any_content(good: Any) -> Any:
    """Take whatever is gone for what a new file was."""

    def bad(self: RowLookup, connection: ConnectionKey, row: FileRow) -> list[FileRow]:
        return [each for each in self.ledger.every(connection) if each.storage_id]

    return bad


def share_the_id(good: Any) -> Any:
    """Leave its id to the file that another one turned out to be."""

    def bad(self: Ledger, origin: FileRow, row: FileRow) -> FileRow:
        moved: FileRow = good(self, origin, row)
        self.put(origin)
        return moved

    return bad


def rename_in_runs(good: Any) -> Any:
    """Rename in Storage whatever the lane is waiting for."""

    def bad(self: Lane, now: Now) -> Any:
        if self.state.row.phase is Phase.RUNNING and now.at_s >= self.state.due_s:
            keys = [connection.key for connection in self.connections]
            for row in [r for key in keys for r in self.ledger.needing(key, Need.STORE)]:
                self.moves.holds_back(row, (), now)
            self.moves.take_over(self.stores.doubts, now)
            return [*self.placements.plan(keys, now), *good(self, now)]
        return good(self, now)

    return bad


def never_placed(good: Any) -> Any:
    """Forget that a file was renamed in Storage."""

    def bad(self: Placements, fact: Any, now: Now) -> None:
        row = self.ledger.get(fact.key)
        good(self, fact, now)
        if isinstance(fact, facts.Placed):
            self.ledger.change(fact.key, moved_from=row.moved_from)

    return bad


def count_all_missing(good: Any) -> Any:
    """Hold files as lost of which nothing is in the cloud."""
    return lambda *args: good(*args)._replace(unstored=set())


def delete_whatever_is_gone(good: Any) -> Any:
    """Delete also what is to be kept or only taken out."""
    return lambda row, _policy: good(row, OnDelete.DELETE)


def never_remove(good: Any) -> Any:
    """Leave in the connection what is gone."""
    return lambda _self, _connection, _now: iter(())


def remove_unmarked(good: Any) -> Any:
    """Keep what was stored as certain while it is being removed."""

    def bad(self: Removals, connection: str, now: Now) -> commands.Remove:
        rows = list(islice(self.files(connection, now), FILES_MAX))
        command: commands.Remove = good(self, connection, now)
        for row in rows:
            self.ledger.put(row)
        return command

    return bad


def still_to_go(good: Any) -> Any:
    """Let a file that is back still be one that is to be removed."""

    def bad(self: Drive, fact: facts.Hashed, now: Now) -> None:
        removing = self.ledger.get(fact.key).removing
        good(self, fact, now)
        self.ledger.change(fact.key, removing=removing)

    return bad


def pause_nothing(good: Any) -> Any:
    """Go on in spite of a pause."""
    return lambda self: list(self.connections)


# ---- shown by plays -----------------------------------------------------------------------


def nothing_moved(good: Any) -> Any:
    """Take for lost what is there under another name."""
    return lambda *args: good(*args)._replace(moved=set())


def held_is_unread(good: Any) -> Any:
    """Read nothing of a source while a deletion waits for a person."""
    return property(lambda self: bool(self.offline))


def adopt_in_silence(good: Any) -> Any:
    """Take the id that Storage gives, whosever it is."""

    def bad(self: Stores, fact: facts.Reserved, now: Now) -> None:
        self.ledger.put(with_storage_id(self.ledger.get(fact.key), fact.storage_id))

    return bad
