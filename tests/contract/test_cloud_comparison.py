# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What others do in the cloud, seen by a comparison with a real server, and mended."""

from __future__ import annotations

import hashlib

import httpx
import pytest
from contract_office import Office, Whole
from test_main_path import drawing

from twinsyncd.core import commands, facts
from twinsyncd.core.facts import Differs
from twinsyncd.core.model import Digest, Fault, FileKey, Fingerprint
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError

A = FileKey("cad", "a.dxf")
FIRST, OTHER = drawing(1), drawing(2)


class Synced:
    """An office with one drawing in its iModel, as the journal remembers it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.platform = office.cloud.platform
        command = commands.Store(A, office.name, digest_of(FIRST), Fingerprint(len(FIRST), 1), "")
        self.stored = office.target.store(command, Whole(FIRST), lambda _: None)
        office.items[A] = self.storage_id = self.stored.storage_id
        self.run = office.run().run

    def file(self, **more: object) -> commands.StoredFile:
        """Return the file as remembered."""
        known = {
            "key": A,
            "storage_id": self.storage_id,
            "digest": digest_of(FIRST),
            "size_bytes": len(FIRST),
            "version": self.stored.version,
            "in_connection": True,
        }
        return commands.StoredFile(**{**known, **more})

    def compare(self, *files: commands.StoredFile, last_run: str = "") -> facts.Compared:
        """Compare what is remembered."""
        remembered = files or (self.file(),)
        command = commands.Compare(
            self.office.name, self.office.remote_id, remembered, last_run or self.run
        )
        return self.office.target.compare(command)

    def overwrite(self, content: bytes) -> None:
        """Somebody else uploads a content to our file."""
        command = commands.Store(
            A, "other", digest_of(content), Fingerprint(len(content), 1), self.storage_id
        )
        self.office.target.store(command, Whole(content), lambda _: None)


def digest_of(content: bytes) -> Digest:
    """Return the digest of a content."""
    return Digest(hashlib.sha256(content).hexdigest())


@pytest.fixture
def synced(office: Office) -> Synced:
    """Give an office with one drawing in its iModel."""
    return Synced(office)


def only(found: facts.Compared) -> facts.Difference:
    """Return the one difference."""
    (difference,) = found.differences
    return difference


def test_what_nobody_touched_is_as_remembered(synced: Synced) -> None:
    """A comparison that always finds something would upload everything every day."""
    assert synced.stored.version, "the server says when a file was modified"
    assert synced.compare() == facts.Compared(synced.office.name)


def test_a_deleted_file_is_missed_and_comes_back_with_its_id(synced: Synced) -> None:
    """Its elements in the iModel keep their source."""
    synced.platform.delete_file(synced.storage_id)

    assert only(synced.compare()).differs is Differs.MISSING

    again = commands.Store(
        A, synced.office.name, digest_of(FIRST), Fingerprint(len(FIRST), 1), synced.storage_id
    )
    stored = synced.office.target.store(again, Whole(FIRST), lambda _: None)
    assert stored.storage_id == synced.storage_id
    assert synced.compare(synced.file(version=stored.version)).differences == ()


def stored_again(synced: Synced) -> commands.ExpectedFile:
    """Store the drawing again; return it as the file that takes the place of the earlier one."""
    synced.office.items[A] = synced.storage_id
    again = synced.office.store(A.path, FIRST)
    return commands.ExpectedFile(A, again, replaces=(synced.storage_id,))


def test_a_file_deleted_for_good_is_the_same_source_file_with_a_new_one(
    synced: Synced, raw: httpx.Client
) -> None:
    """As a source file of its own it would bring all its elements a second time."""
    (before,) = synced.platform.source_files(synced.office.remote_id)
    synced.platform.delete_file(synced.storage_id)
    assert raw.delete(f"/storage/recyclebin/files/{synced.storage_id}").status_code == 204
    assert only(synced.compare()).differs is Differs.MISSING

    file = stored_again(synced)
    command = commands.Prepare(synced.office.name, synced.office.remote_id, (file,))
    assert synced.office.target.prepare(command).in_connection == (A,)
    seen = synced.office.run()

    (after,) = synced.platform.source_files(synced.office.remote_id)
    assert (after.id, after.storage_id) == (before.id, file.storage_id)
    (result,) = seen.files
    assert (result.storage_id, result.outcome) == (file.storage_id, Outcome.SUCCEEDED)
    assert result.changeset == "", "the iModel has all of it already"


def test_another_content_of_another_size_is_found(synced: Synced) -> None:
    """Sizes come with the listing; nothing needs to be read back."""
    synced.overwrite(OTHER + b"more")

    found = only(synced.compare())

    assert found.differs is Differs.OVERWRITTEN
    assert f"{len(OTHER) + 4} bytes" in found.text


def test_another_content_of_the_same_size_is_found(synced: Synced) -> None:
    """Only its time differs, so it is read back."""
    swapped = FIRST[::-1]
    synced.overwrite(swapped)

    found = only(synced.compare(synced.file(version="earlier")))

    assert found.differs is Differs.OVERWRITTEN
    assert "same size" in found.text


def test_the_same_content_with_another_time_is_no_difference(synced: Synced) -> None:
    """Somebody uploaded what was there; the new time is remembered."""
    found = synced.compare(synced.file(version="earlier"))

    assert found.differences == ()
    assert found.versions == ((A, synced.stored.version),)


def test_a_file_that_somebody_moved_is_found_and_put_back(synced: Synced) -> None:
    """Whoever looks for it by its path would find nothing, or another one."""
    home = synced.platform.file(synced.storage_id).parent_id
    other = synced.platform.create_folder(home, "else where")
    synced.platform.move_file(synced.storage_id, other.id)

    found = only(synced.compare(synced.file(version="")))
    synced.office.place(A.path, synced.storage_id)

    assert found.differs is Differs.MISPLACED
    assert f"the folder '{synced.office.imodel_id}/cad/else where'" in found.text
    assert synced.platform.file(synced.storage_id).parent_id == home
    assert synced.compare(synced.file(version="")).differences == ()


def test_a_file_that_somebody_renamed_is_found_and_named_back(synced: Synced) -> None:
    """A connector chooses by the name, so that a renamed file may fail in every run."""
    synced.platform.rename_file(synced.storage_id, "a.txt")

    found = only(synced.compare(synced.file(version="")))
    synced.office.place(A.path, synced.storage_id)

    assert found.differs is Differs.MISPLACED
    assert "renamed it in Storage to 'a.txt'" in found.text
    assert synced.compare(synced.file(version="")).differences == ()


def test_a_file_that_was_renamed_and_then_deleted_comes_back_under_its_name(synced: Synced) -> None:
    """The recycle bin gives it back as it was deleted."""
    synced.platform.rename_file(synced.storage_id, "old.dxf")
    synced.platform.delete_file(synced.storage_id)

    assert synced.office.store(A.path, FIRST) == synced.storage_id
    assert synced.platform.file(synced.storage_id).name == A.path


@pytest.mark.parametrize("act", ["rename", "move"])
def test_a_folder_that_somebody_renamed_or_moved_is_made_again(synced: Synced, act: str) -> None:
    """The next files would go into another folder than those before."""
    platform = synced.platform
    folder = platform.folder(platform.file(synced.storage_id).parent_id)
    if act == "rename":
        platform.rename_folder(folder.id, "cad of 2019")
    else:
        attic = platform.create_folder(platform.root_folder(synced.office.itwin_id), "attic")
        platform.move_folder(folder.id, attic.id)

    found = only(synced.compare(synced.file(version="")))
    synced.office.place(A.path, synced.storage_id)

    there = {"rename": f"{synced.office.imodel_id}/cad of 2019", "move": "attic/cad"}[act]
    assert found.differs is Differs.MISPLACED
    assert f"the folder '{there}'" in found.text
    assert synced.compare(synced.file(version="")).differences == ()


def test_a_source_file_that_was_taken_out_is_found_and_added_again(synced: Synced) -> None:
    """Runs would go on without it and call themselves successful."""
    (source_file,) = synced.platform.source_files(synced.office.remote_id)
    synced.platform.remove_source_file(synced.office.remote_id, source_file.id)

    assert only(synced.compare()).differs is Differs.UNMAPPED

    assert synced.office.run().outcome is Outcome.SUCCEEDED
    assert synced.compare().differences == ()


def test_another_connector_is_found_and_corrected(synced: Synced) -> None:
    """A connector that was corrected in the configuration must come to the service."""
    (source_file,) = synced.platform.source_files(synced.office.remote_id)
    synced.platform.update_source_file(synced.office.remote_id, source_file, "MSTN")

    found = only(synced.compare())
    synced.office.prepare()

    assert found.differs is Differs.CONNECTOR
    assert "MSTN" in found.text
    (corrected,) = synced.platform.source_files(synced.office.remote_id)
    assert corrected.connector != "MSTN"
    assert corrected.id == source_file.id


def test_a_connection_that_is_gone_is_told(synced: Synced) -> None:
    """Somebody deleted it in the portal."""
    with pytest.raises(CloudError) as gone:
        synced.office.target.compare(commands.Compare("x", "no-such", (synced.file(),), ""))

    assert gone.value.failure.fault is Fault.GONE


def test_a_run_that_the_service_does_not_know_is_told(synced: Synced) -> None:
    """The service was restored from a backup that is older than our run."""
    unknown = synced.run.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"

    assert not synced.compare(last_run=unknown).last_run_known


def test_a_preparation_tells_whether_our_newest_run_is_known(synced: Synced) -> None:
    """It is the last moment before a new run hides that the service was restored."""
    unknown = synced.run.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    file = commands.ExpectedFile(A, synced.storage_id)

    found = [
        synced.office.target.prepare(
            commands.Prepare(synced.office.name, synced.office.remote_id, (file,), run)
        ).last_run_known
        for run in ("", synced.run, unknown)
    ]

    assert found == [True, True, False]


def test_source_files_of_others_are_named(synced: Synced) -> None:
    """They make our runs longer, and may make each end as partial."""
    foreign = synced.office.store("foreign.dxf", OTHER)
    synced.office.prepare()

    assert [storage_id for storage_id, _ in synced.compare().others] == [foreign]


def test_a_file_that_takes_the_place_of_another_leaves_no_dead_one(synced: Synced) -> None:
    """The old one is gone for good, and would fail in every run."""
    del synced.office.items[A]
    new = synced.office.store("c.dxf", OTHER)
    synced.platform.delete_file(synced.storage_id)
    replacing = commands.ExpectedFile(FileKey("cad", "c.dxf"), new, (synced.storage_id,))

    prepared = synced.office.target.prepare(
        commands.Prepare(synced.office.name, synced.office.remote_id, (replacing,))
    )

    assert prepared.in_connection == (FileKey("cad", "c.dxf"),)
    held = synced.platform.source_files(synced.office.remote_id)
    assert [each.storage_id for each in held] == [new]
    started = synced.office.start()
    assert isinstance(started, facts.RunStarted)
    assert synced.office.wait(started.run).outcome is Outcome.SUCCEEDED


def test_a_file_that_is_gone_before_it_is_added_is_told(synced: Synced) -> None:
    """It is looked for and uploaded again, instead of waiting for a person."""
    other = synced.office.store("b.dxf", OTHER)
    synced.platform.delete_file(other)

    prepared = synced.office.prepare()

    assert not prepared.storage_as_expected
    assert [key.path for key, _ in prepared.refused] == ["b.dxf"]
