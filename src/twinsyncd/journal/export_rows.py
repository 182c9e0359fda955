"""Which rows each export file of a bulk connection has, and which files share records.

A record that two files have is in the service as one of them has it. The digests of a file's rows,
eight bytes each, say whether it still has what was taken of such a record; the file's rivals are
those whose change can make another row of its own the right one.
Safe from several threads and processes; every change is durable when its method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, delete, exists, insert, or_, select, update

from ..core.model import ABSENT, FileKey, SourceKey
from . import bulk_tables, tables
from .bulk_tables import NEW_FILE, is_file, same_file
from .transactions import writing
from .upserts import insert_into

PIECE_BYTES: Final = 1 << 20  # databases like values of this size
_FILES: Final = bulk_tables.bulk_files
_ROWS: Final = bulk_tables.export_rows
_RIVALS: Final = bulk_tables.export_rivals
_SEEN: Final = tables.files.c
_OWN: Final = ("connection", "source", "path")


class ExportRows:
    """The rows of the export files of all bulk connections."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; its owner disposes of it."""
        self._engine = engine

    def mark(self, connection: str, key: FileKey) -> str:
        """Return the mark that the file's rows were kept with; "" if none are kept."""
        query = select(_FILES.c.rows_mark).where(is_file(_FILES, connection, key))
        with self._engine.connect() as opened:
            return opened.execute(query).scalar() or ""

    def keep(
        self, connection: str, key: FileKey, entity: str, digests: Sequence[bytes], mark: str
    ) -> None:
        """Keep the digests of the file's rows, in pieces, in place of earlier ones.

        Files that have records of this one are to be sent again, since it is another file now.
        """
        own = _own(connection, key)
        values = {"entity": entity, "rows_mark": mark}
        statement = insert_into(self._engine, _FILES).values(own | NEW_FILE | values)
        upsert = statement.on_conflict_do_update(index_elements=list(_OWN), set_=values)
        rows = [own | {"number": at, "digests": piece} for at, piece in enumerate(digests)]
        with writing(self._engine) as opened:
            opened.execute(upsert)
            opened.execute(delete(_ROWS).where(is_file(_ROWS, connection, key)))
            if rows:
                opened.execute(insert(_ROWS), rows)
            _resend_rivals(opened, connection, key)

    def read(self, connection: str, key: FileKey) -> list[bytes]:
        """Return the digests of the file's rows, in pieces."""
        query = (
            select(_ROWS.c.digests).where(is_file(_ROWS, connection, key)).order_by(_ROWS.c.number)
        )
        with self._engine.connect() as opened:
            return list(opened.execute(query).scalars())

    def others(self, connection: str, entity: str, key: FileKey) -> list[FileKey]:
        """Return the other files of this kind that are there and whose rows are kept, in order."""
        table = _FILES.c
        query = (
            select(table.source, table.path)
            .select_from(_FILES.outerjoin(tables.files, same_file()))
            .where(table.connection == connection, table.entity == entity, table.rows_mark != "")
            .where(or_(_SEEN.seen.is_(None), _SEEN.seen != ABSENT))
        )
        with self._engine.connect() as opened:
            found = [FileKey(SourceKey(row[0]), row[1]) for row in opened.execute(query)]
        return sorted(each for each in found if each != key)

    def note_rivals(self, connection: str, key: FileKey, rivals: Collection[FileKey]) -> None:
        """Note which files have records of this one, too, in place of those noted before."""
        own = _own(connection, key)
        rows = [own | {"rival_source": r.source, "rival_path": r.path} for r in sorted(rivals)]
        with writing(self._engine) as opened:
            opened.execute(delete(_RIVALS).where(is_file(_RIVALS, connection, key)))
            if rows:
                opened.execute(insert(_RIVALS), rows)

    def send_again(self, connection: str, keys: Collection[FileKey]) -> None:
        """Let these files be sent again: rows of theirs are in the service no more."""
        with writing(self._engine) as opened:
            for key in keys:
                mine = is_file(_FILES, connection, key)
                opened.execute(update(_FILES).where(mine).values(needs="resend"))

    def rename(self, connection: str, before: FileKey, key: FileKey) -> None:
        """Move the rows of a file to another path; who shares records with it is sent again."""
        own = _own(connection, key)
        with writing(self._engine) as opened:
            _resend_rivals(opened, connection, before)
            for table in (_ROWS, _RIVALS):
                opened.execute(delete(table).where(is_file(table, connection, key)))
                mine = is_file(table, connection, before)
                opened.execute(update(table).where(mine).values(own))
            mine = is_file(_FILES, connection, key)
            has_rivals = exists().where(is_file(_RIVALS, connection, key))
            opened.execute(update(_FILES).where(mine, has_rivals).values(needs="resend"))

    def forget_gone(self, connection: str, is_configured: Callable[[FileKey], bool]) -> None:
        """Forget the rows of files that are gone; who shared records with them is sent again.

        So is such a file itself, should it come back as it was.
        """
        table = _FILES.c
        query = (
            select(table.source, table.path, _SEEN.seen)
            .select_from(_FILES.outerjoin(tables.files, same_file()))
            .where(table.connection == connection, table.rows_mark != "")
        )
        with self._engine.connect() as opened:
            rows = opened.execute(query).all()
        known = [(FileKey(SourceKey(source), path), seen) for source, path, seen in rows]
        gone = [key for key, seen in known if seen == ABSENT or not is_configured(key)]
        if not gone:
            return
        with writing(self._engine) as opened:
            for key in gone:
                forget_file(opened, connection, key)
                mine = is_file(_FILES, connection, key)
                again = {"rows_mark": "", "needs": "resend"}
                opened.execute(update(_FILES).where(mine).values(again))


def forget_file(opened: Connection, connection: str, key: FileKey) -> None:
    """Forget the rows of a file, within a transaction; its rivals are to be sent again."""
    _resend_rivals(opened, connection, key)
    for table in (_ROWS, _RIVALS):
        opened.execute(delete(table).where(is_file(table, connection, key)))


def _resend_rivals(opened: Connection, connection: str, key: FileKey) -> None:
    """Let those files be sent again that note this one as their rival."""
    rival, file = _RIVALS.c, _FILES.c
    noted = exists().where(
        rival.connection == connection,
        rival.source == file.source,
        rival.path == file.path,
        rival.rival_source == key.source,
        rival.rival_path == key.path,
    )
    mine = update(_FILES).where(file.connection == connection, noted)
    opened.execute(mine.values(needs="resend"))


def _own(connection: str, key: FileKey) -> dict[str, object]:
    return dict(zip(_OWN, (connection, key.source, key.path), strict=True))
