# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Renames, moves, removals and connectors against a real server: the ids stay."""

from __future__ import annotations

import pytest
from contract_office import Office
from test_main_path import drawing

from twinsyncd.core.model import Fault
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError


def test_a_renamed_and_moved_file_keeps_its_id_and_its_source_file(office: Office) -> None:
    """Its elements in the iModel keep theirs by that."""
    platform = office.cloud.platform
    storage_id = office.store("a.dxf", drawing(3))
    office.run()
    parent = platform.file(storage_id).parent_id
    other = platform.create_folder(parent, "elsewhere")

    renamed = platform.rename_file(storage_id, "b.dxf")
    moved = platform.move_file(storage_id, other.id)
    folder = platform.rename_folder(other.id, "there")

    assert (renamed.id, renamed.name) == (storage_id, "b.dxf")
    assert (moved.id, moved.parent_id) == (storage_id, other.id)
    assert (folder.id, folder.name) == (other.id, "there")
    assert [each.storage_id for each in platform.source_files(office.remote_id)] == [storage_id]
    assert office.run().outcome is Outcome.SUCCEEDED


def test_a_moved_folder_takes_its_files_along(office: Office) -> None:
    """One call for a whole folder of drawings."""
    platform = office.cloud.platform
    storage_id = office.store("sub/a.dxf", drawing(1))
    folder = platform.file(storage_id).parent_id
    above = platform.folder(folder).parent_id
    other = platform.create_folder(above, "archive")

    moved = platform.move_folder(folder, other.id)

    assert moved.parent_id == other.id
    assert platform.file(storage_id).parent_id == folder


def test_a_file_that_was_renamed_on_the_drive_is_placed_where_it_belongs(office: Office) -> None:
    """Name and folder change, its id and content do not; a second time changes nothing."""
    platform = office.cloud.platform
    storage_id = office.store("a.dxf", drawing(1))
    before = platform.file(storage_id)
    office.items.clear()

    for _ in range(2):
        office.place("sub/deeper/b.dxf", storage_id)
    placed, newcomer = platform.file(storage_id), office.store("a.dxf", drawing(2))
    again = office.store("sub/deeper/b.dxf", drawing(1))

    assert (placed.name, placed.size_bytes) == ("b.dxf", before.size_bytes)
    folder = platform.folder(placed.parent_id)
    assert (folder.name, platform.folder(folder.parent_id).name) == ("deeper", "sub")
    assert newcomer != storage_id
    assert again == storage_id


def test_a_renamed_file_that_somebody_deleted_comes_back_under_its_new_name(office: Office) -> None:
    """It lies in the recycle bin, with its id."""
    platform = office.cloud.platform
    storage_id = office.store("a.dxf", drawing(1))
    platform.delete_file(storage_id)

    office.place("b.dxf", storage_id)

    assert platform.file(storage_id).name == "b.dxf"


def test_a_file_is_placed_into_the_folder_that_is_there(office: Office) -> None:
    """Folders are found by their names, and none is made twice."""
    platform = office.cloud.platform
    storage_id, other = office.store("a.dxf", drawing(1)), office.store("sub/c.dxf", drawing(2))
    folder = platform.file(other).parent_id

    office.place("sub/a.dxf", storage_id)

    assert platform.file(storage_id).parent_id == folder


def test_a_deleted_file_can_be_restored_with_its_id(office: Office) -> None:
    """The recycle bin keeps it; a second removal changes nothing."""
    platform = office.cloud.platform
    storage_id = office.store("a.dxf", drawing(1))

    platform.delete_file(storage_id)
    platform.delete_file(storage_id)
    with pytest.raises(CloudError) as gone:
        platform.file(storage_id)
    platform.restore_file(storage_id)

    assert gone.value.failure.fault is Fault.GONE
    assert platform.file(storage_id).id == storage_id


def test_a_source_file_gets_another_connector_and_is_taken_out(office: Office) -> None:
    """What the configuration corrects must reach the service."""
    platform = office.cloud.platform
    office.store("a.dxf", drawing(1))
    office.prepare()
    (before,) = platform.source_files(office.remote_id)

    platform.update_source_file(office.remote_id, before, "CIVIL3D")
    (after,) = platform.source_files(office.remote_id)
    platform.remove_source_file(office.remote_id, before.id)
    platform.remove_source_file(office.remote_id, before.id)

    assert (after.id, after.connector) == (before.id, "CIVIL3D")
    assert list(platform.source_files(office.remote_id)) == []
