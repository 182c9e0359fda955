"""The world's database as a file: whose it is, and how it grows with the program."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from localtwin.world.database import Database
from localtwin.world.tables import metadata

INDICES = {index.name for table in metadata.tables.values() for index in table.indexes}


@pytest.mark.skipif(sys.platform == "win32", reason="there, files inherit their folder's rights")
def test_the_database_is_kept_for_its_owner(tmp_path: Path) -> None:
    """It holds the names of projects and files; the folder may be one that others may enter."""
    database = Database(tmp_path / "world.sqlite")

    files = list(tmp_path.iterdir())

    assert len(files) > 1, "the log of changes lies beside it"
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []
    database.close()


def test_an_older_world_gets_the_indices_it_lacks(tmp_path: Path) -> None:
    """Without them its lists become slow in silence."""
    file = tmp_path / "world.sqlite"
    Database(file).close()
    with sqlite3.connect(file) as older:
        for index in sorted(str(name) for name in INDICES):
            older.execute(f"DROP INDEX {index}")
    older.close()

    Database(file).close()

    with sqlite3.connect(file) as newer:
        found = {name for (name,) in newer.execute("SELECT name FROM sqlite_master")}
    newer.close()
    assert found >= INDICES
    assert INDICES, "there is something to lack"


def test_a_world_of_the_first_version_keeps_its_rows(tmp_path: Path) -> None:
    """An update of localtwin must not cost anybody their local projects."""
    file = tmp_path / "world.sqlite"
    Database(file).close()
    with sqlite3.connect(file) as older:
        older.execute("ALTER TABLE stored_headers RENAME TO told")
        older.execute("ALTER TABLE grants DROP COLUMN nonce")
        older.execute("ALTER TABLE grants DROP COLUMN signed_in")
        older.execute("ALTER TABLE tasks DROP COLUMN document")
        older.execute("ALTER TABLE tasks DROP COLUMN origin")
        older.execute("ALTER TABLE sources DROP COLUMN origin")
        older.execute("ALTER TABLE itwins DROP COLUMN modified")
        older.execute("ALTER TABLE itwins DROP COLUMN modified_by")
        older.execute("INSERT INTO itwins VALUES ('i', 1, 'Bridge', 'B-1', '{}', '2026', 'me')")
        older.execute("INSERT INTO told VALUES ('c', '{}')")
        older.execute("PRAGMA user_version = 1")
    older.close()

    Database(file).close()

    with sqlite3.connect(file) as newer:
        (itwin,) = newer.execute("SELECT id, modified, modified_by FROM itwins")
        (headers,) = newer.execute("SELECT content FROM stored_headers")
    newer.close()
    assert (itwin, headers) == (("i", "2026", "me"), ("c",))
