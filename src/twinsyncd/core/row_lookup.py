"""Looks up rows by content and by file id, for many files with one question to the journal.

A first sync brings thousands of new files, and each of them may be one that was renamed; a
question for each would cost more than its upload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .ledger import Ledger
from .model import ConnectionKey, Digest, FileRow

_Found = dict[tuple[ConnectionKey, Digest | int], list[FileRow]]


@dataclass(slots=True)
class RowLookup:
    """The rows of one decision; `clear` ends it, since the next commit may change them."""

    ledger: Ledger
    _by_content: _Found = field(default_factory=dict)
    _by_file_id: _Found = field(default_factory=dict)

    def read_ahead(self, connection: ConnectionKey, rows: Iterable[FileRow]) -> None:
        """Look up what these files of the connection may have been before."""
        rows = list(rows)
        contents = {row.seen for row in rows if (connection, row.seen) not in self._by_content}
        looks = (row.fingerprint for row in rows if row.fingerprint is not None)
        ids = {look.file_id for look in looks if look.file_id}
        ids = {each for each in ids if (connection, each) not in self._by_file_id}
        if contents:
            found = self.ledger.with_content(connection, contents)
            by_content = _grouped((row.stored, row) for row in found)
            for digest in contents:
                self._by_content[connection, digest] = by_content.get(digest, [])
        if ids:
            found = self.ledger.with_file_id(connection, ids)
            by_id = _grouped((row.fingerprint.file_id, row) for row in found if row.fingerprint)
            for each in ids:
                self._by_file_id[connection, each] = by_id.get(each, [])

    def with_content(self, connection: ConnectionKey, row: FileRow) -> list[FileRow]:
        """Return the connection's rows whose file in Storage has the content of this one."""
        self.read_ahead(connection, [row])
        found = self.ledger.newest(self._by_content[connection, row.seen])
        return [each for each in found if each.stored == row.seen]  # it may be in doubt by now

    def with_file_id(self, connection: ConnectionKey, row: FileRow) -> list[FileRow]:
        """Return the connection's rows that were the same file of a file system as this one."""
        if row.fingerprint is None or not row.fingerprint.file_id:
            return []
        self.read_ahead(connection, [row])
        return self.ledger.newest(self._by_file_id[connection, row.fingerprint.file_id])

    def clear(self) -> None:
        """Forget what was looked up."""
        self._by_content.clear()
        self._by_file_id.clear()


def _grouped(
    rows: Iterable[tuple[Digest | int, FileRow]],
) -> Mapping[Digest | int, list[FileRow]]:
    grouped: dict[Digest | int, list[FileRow]] = {}
    for mark, row in rows:
        grouped.setdefault(mark, []).append(row)
    return grouped
