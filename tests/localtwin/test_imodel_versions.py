"""An iModel file of another release is brought up to date, or refused in plain words."""

import hashlib
import json
from pathlib import Path

import apsw
import pytest
from imodel_scene import tables
from imodel_sources import Model, element

from localtwin.imodel import tables as table_definitions
from localtwin.imodel.changeset import apply_changeset, recording
from localtwin.imodel.database import (
    APPLICATION_ID,
    NotAnIModelError,
    create_imodel,
    opened,
    opened_to_read,
    transaction,
)
from localtwin.imodel.difference import difference
from localtwin.imodel.history import SEVERAL_FILES, at_version, changeset_file, checkout, versions
from localtwin.imodel.read import last_changeset, last_report

FIRST_VERSION_CONTENT = """
INSERT INTO ec_Class VALUES (1, 'Test:Beam'), (2, 'BisCore:PhysicalModel');
INSERT INTO bis_ExternalSource VALUES (1, 'one', 'one', 'Test', '1', 'digest');
INSERT INTO bis_Model VALUES (1, 2, 1);
INSERT INTO bis_Element VALUES
    (1, 1, 1, NULL, NULL, NULL, NULL, 'Old', '{"x": 1}', 0, 0, 0, 1, 1, 1);
INSERT INTO bis_ExternalSourceAspect VALUES (1, 'a', 1, 'checksum');
"""


FIRST_VERSION_REPORT = {
    "sources": [
        {
            "source_id": "one",
            "result": "Success",
            "inserted": 1,
            "updated": 0,
            "deleted": 0,
            "error": None,
        }
    ],
}
CHANGESET = {
    "parent_id": "",
    "inserted": 1,
    "updated": 0,
    "deleted": 0,
    "containing_changes": 55,
}


def first_version(file: Path, *, version: int = 1) -> None:
    """Write an iModel as the first release did, and the changeset that filled it."""
    with apsw.Connection(str(file)) as database:
        database.execute(table_definitions.STEPS[0])
        database.pragma("application_id", APPLICATION_ID)
        database.pragma("user_version", version)
        session = apsw.Session(database, "main")
        session.attach()
        database.execute(FIRST_VERSION_CONTENT)
        folder = file.parent / "changesets"
        folder.mkdir(exist_ok=True)
        data = session.changeset()
        session.close()
        changeset_id = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (folder / changeset_id).write_bytes(data)
        report = FIRST_VERSION_REPORT | {
            "changeset": CHANGESET | {"id": changeset_id, "size_bytes": len(data)}
        }
        row = (changeset_id, json.dumps(report))
        database.execute("INSERT INTO local_Changeset VALUES (NULL, ?, ?)", row)
    database.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "old.bim"
    first_version(file)
    return file


def version_of(file: Path) -> int:
    database = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(database.pragma("user_version"))
    finally:
        database.close()


def test_an_old_file_is_migrated_when_it_is_opened_to_write(old: Path) -> None:
    """An update of the program must not cost the office its iModels."""
    with opened(old) as database:
        assert database.execute("SELECT UserLabel FROM bis_Element").get == "Old"
        assert database.execute("SELECT count(*) FROM bis_ElementRefersToElements").get == 0

    assert version_of(old) == table_definitions.VERSION


def test_an_old_file_is_read_without_being_changed(old: Path) -> None:
    """Who only looks, perhaps on a read-only share, must not write."""
    before = old.read_bytes()

    with opened_to_read(old) as database:
        assert database.execute("SELECT count(*) FROM ec_Schema").get == 0

    assert old.read_bytes() == before


def test_a_migrated_file_is_synchronized_on(old: Path, tmp_path: Path) -> None:
    """Elements keep their ids, and the schema is completed as they are read again."""
    model = Model(tmp_path)
    model.file.unlink()
    old.rename(model.file)

    model.sync(element("a", x=1, y=2), name="one")

    assert model.rows("SELECT Id FROM bis_Element") == [(1,)]
    assert model.rows("SELECT Name, ECName, Kind FROM ec_Class WHERE SchemaId NOT NULL") == [
        ("Test:Beam", "Beam", "Entity")
    ]


def test_the_history_before_the_update_is_kept(old: Path, tmp_path: Path) -> None:
    """Reports, differences and checkouts of old changesets work like those of new ones."""
    (first,) = versions(old)
    with at_version(old, 1) as database, transaction(database):
        found = difference(database, changeset_file(old, first))

    checkout(old, 1, tmp_path / "copy.bim")

    report = last_report(old)
    assert report is not None
    assert (report.sources[0].inserted, report.changesets) == (1, (first.report,))
    assert (first.source, first.written, first.report.source_id) == (SEVERAL_FILES, "", "")
    assert found.counts == {"inserted": 1, "updated": 0, "deleted": 0}
    assert found.schema == ["class Test:Beam added"]
    assert last_changeset(tmp_path / "copy.bim") == first.report.id


def test_old_changesets_apply_to_a_new_file(old: Path, tmp_path: Path) -> None:
    """Otherwise the history before the update could never be checked out again."""
    copy = tmp_path / "copy.bim"
    create_imodel(copy)

    (changeset,) = (tmp_path / "changesets").iterdir()
    apply_changeset(copy, changeset)

    with opened(old):
        pass
    assert tables(copy) == tables(old)


@pytest.mark.parametrize("version", [0, table_definitions.VERSION + 1])
def test_a_file_of_an_unknown_version_is_refused(tmp_path: Path, version: int) -> None:
    """Writing into tables that one does not know destroys them."""
    file = tmp_path / "new.bim"
    first_version(file, version=version)
    before = file.read_bytes()
    text = "Update twinsyncd" if version else "is not a local iModel"

    for attempt in (opened, opened_to_read):
        with pytest.raises(NotAnIModelError, match=text), attempt(file):
            pass

    assert file.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"not a database, but long enough to look like one" * 99])
def test_another_kind_of_file_is_refused(tmp_path: Path, data: bytes) -> None:
    """A drawing that was given by mistake is not an iModel."""
    file = tmp_path / "plan.dxf"
    file.write_bytes(data)

    with pytest.raises(NotAnIModelError, match="is not a local iModel"), opened(file):
        pass

    assert file.read_bytes() == data


def test_a_failed_migration_leaves_the_old_file(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a migration could neither be repeated nor taken back."""
    broken = table_definitions.STEPS[1] + "CREATE TABLE ec_Schema (Id INTEGER);"
    monkeypatch.setitem(table_definitions.STEPS, 1, broken)

    with pytest.raises(apsw.SQLError), opened(old):
        pass

    assert version_of(old) == 1
    monkeypatch.undo()
    with opened(old) as database, transaction(database), recording(database):
        assert database.execute("SELECT count(*) FROM ec_Schema").get == 0
