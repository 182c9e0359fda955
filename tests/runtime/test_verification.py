# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The verification of one connection, from fakes of its drives and of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.values import Changeset
from twinsyncd.config import Connection
from twinsyncd.config.patterns import matcher
from twinsyncd.core.commands import Compare, Scan
from twinsyncd.core.decision import Decision
from twinsyncd.core.facts import Compared, Difference, Differs, FilesFound, ScanFailed, Scanned
from twinsyncd.core.model import STAYS, FileKey, FileRow, Fingerprint, SourceKey, SourceRow
from twinsyncd.disk.folder import Folder
from twinsyncd.disk.tree import Tree
from twinsyncd.journal.database import open_database
from twinsyncd.journal.reader import JournalReader
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime.setup_check.known import NothingKnown
from twinsyncd.runtime.share_folder import ShareFolder
from twinsyncd.runtime.verification import ConnectionVerification, Selection
from twinsyncd.runtime.verified_file import Verdict, VerifiedFile
from twinsyncd.targets.protocol import Target

LOOK = Fingerprint(7, 1, 1)
CAD, BIM = SourceKey("Bridge/cad"), SourceKey("Bridge/bim")
HANGS = "it has not answered for 30 s"


@dataclass
class FakeFolder:
    """A source's folder of which every scan finds the same."""

    found: Sequence[FilesFound | Scanned | ScanFailed]
    asked: list[Scan] = field(default_factory=list)

    def scan(self, command: Scan) -> Iterator[FilesFound | Scanned | ScanFailed]:
        self.asked.append(command)
        yield from self.found


@dataclass
class FakeTarget:
    """A service that has everything as it is asked for, but for these differences."""

    differences: tuple[Difference, ...] = ()

    def compare(self, command: Compare) -> Compared:
        asked = {each.key: each.in_connection for each in command.files}
        found = (
            each
            for each in self.differences
            if asked.get(each.key) or (each.key in asked and each.differs is Differs.MISSING)
        )
        return Compared(command.connection, tuple(found))


class FakePlatform:
    """An iModel without changesets."""

    def newest_changesets(self, imodel_id: str, limit: int) -> list[Changeset]:
        return []


def listed(key: SourceKey, *paths: str) -> FakeFolder:
    """Return a folder with these files."""
    return FakeFolder(
        [FilesFound(key, tuple((path, LOOK) for path in paths)), Scanned(key, "", len(paths))]
    )


def verify(
    tmp_path: Path,
    folders: Mapping[SourceKey, FakeFolder | Folder],
    decision: Decision = Decision(),
    selection: Selection = Selection(),
    target: FakeTarget = FakeTarget(),
    **chosen: object,
) -> list[VerifiedFile]:
    """Return what is said of the files; `chosen`: keys of the source "cad"."""
    source = [
        {"folder": str(tmp_path / key.partition("/")[2]), **(chosen if key == CAD else {})}
        for key in folders
    ]
    for each in source:
        Path(str(each["folder"])).mkdir(exist_ok=True)
    ids = {"itwin_id": "0a1b2c3d-1111-4222-8333-444455556666"}
    ids["imodel_id"] = "0a1b2c3d-1111-4222-8333-444455556667"
    connection = Connection.model_validate({"name": "Bridge", **ids, "source": source})
    engine = open_database(tmp_path / "journal.sqlite")
    try:
        Journal(engine).commit(decision)
        one = ConnectionVerification(
            connection,
            cast("Mapping[SourceKey, ShareFolder]", folders),
            JournalReader(engine),
            selection,
            deep=False,
        )
        return list(one.files(cast("Target", target), cast("Platform", FakePlatform())))
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    "known", [(), (FileRow(FileKey(BIM, "1.ifc"), LOOK, "v1", "v1", "v1", storage_id="i"),)]
)
def test_a_source_that_could_not_be_read_is_named(
    tmp_path: Path, known: tuple[FileRow, ...]
) -> None:
    """Of a share that hung from the start no file is known, and all was called current."""
    folders = {CAD: listed(CAD), BIM: FakeFolder([ScanFailed(BIM, HANGS)])}

    found = verify(tmp_path, folders, Decision(files=known))

    assert [(each.source, each.path) for each in found] == [
        (BIM, ""),
        *(each.key for each in known),
    ]
    assert {each.drive for each in found} == {f"not read: {HANGS}"}
    assert found[0].verdict is Verdict.UNKNOWN


def test_a_file_of_a_source_that_could_not_be_read_is_asked_for_alone(tmp_path: Path) -> None:
    """Its source is named only if nothing is known of the file itself."""
    folders = {BIM: FakeFolder([ScanFailed(BIM, HANGS)])}
    key = FileKey(BIM, "1.ifc")
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i")

    unknown = verify(tmp_path, folders, selection=Selection(keys=(key,)))
    known = verify(tmp_path, folders, Decision(files=(row,)), Selection(keys=(key,)))

    assert [each.path for each in unknown] == [""]
    assert [each.path for each in known] == ["1.ifc"]


def test_a_file_on_a_drive_inside_that_is_away_is_not_called_gone(tmp_path: Path) -> None:
    """Its mount point is an empty folder; after a change of the patterns it was "kept"."""
    mounted = SourceRow(CAD, drives_inside=(("survey", "nfs server:/survey"),))
    row = FileRow(FileKey(CAD, "survey/1.dxf"), synced="v1", stored="v1", storage_id="i")
    (tmp_path / "cad" / "survey").mkdir(parents=True)
    tree = Tree(tmp_path / "cad")
    folder = Folder(CAD, tree, matcher(["**/*.dxf"]), NothingKnown())

    found = verify(tmp_path, {CAD: folder}, Decision(files=(row,), sources=(mounted,)))

    assert [each.path for each in found] == ["survey", "survey/1.dxf"]
    assert all("which was mounted here, is away" in each.drive for each in found)
    assert found[1].verdict not in (Verdict.CURRENT, Verdict.KEPT)


@pytest.mark.parametrize("is_mapped", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_the_configuration_leaves_out_is_not_called_gone(
    tmp_path: Path, *, is_mapped: bool, is_there: bool
) -> None:
    """It was "not there any more", and all was well; a forgotten one is kept, as a person chose."""
    key = FileKey(CAD, "old/1.dxf")
    row = FileRow(key, stored="v1", synced="v1", storage_id="i", in_connection=is_mapped)
    file = tmp_path / "cad" / key.path
    file.parent.mkdir(parents=True)
    if is_there:
        file.touch()
    folder = Folder(CAD, Tree(tmp_path / "cad"), matcher(["new/*.dxf"]), NothingKnown())

    gone = () if is_mapped else (Difference(key, Differs.UNMAPPED, "somebody took it out"),)
    (found,) = verify(
        tmp_path,
        {CAD: folder},
        Decision(files=(row,)),
        target=FakeTarget(gone),
        include=["new/*.dxf"],
    )

    assert ("the configuration leaves it out" in found.drive) == is_there
    is_wrong = is_there and is_mapped
    assert found.verdict is (Verdict.NOT_CURRENT if is_wrong else Verdict.KEPT)
    assert ("correct include" in found.next_step) == is_wrong
    assert found.source_file == ("in the connection" if is_mapped else "none")


def test_what_another_connector_leaves_out_is_in_the_connection_still(tmp_path: Path) -> None:
    """The daemon drops such a row from its account; the service's source files list the file."""
    key = FileKey(CAD, "1.dxf")
    row = FileRow(key, stored="v1", storage_id="i", note=STAYS)
    (tmp_path / "cad").mkdir()
    (tmp_path / "cad" / key.path).touch()
    folder = Folder(CAD, Tree(tmp_path / "cad"), matcher(["*.ifc"]), NothingKnown())
    other = Difference(key, Differs.CONNECTOR, "read as AutoCAD; it is changed there")

    (found,) = verify(
        tmp_path,
        {CAD: folder},
        Decision(files=(row,)),
        target=FakeTarget((other,)),
        include=["*.ifc"],
    )

    assert (found.verdict, found.source_file) == (Verdict.NOT_CURRENT, "in the connection")
    assert "twinsyncd forget" in found.next_step


@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_was_forgotten_is_looked_for_in_storage(
    tmp_path: Path, *, is_there: bool
) -> None:
    """It was "not uploaded", since only its id is remembered after it was taken out."""
    row = FileRow(FileKey(CAD, "1.dxf"), storage_id="i", note=STAYS)
    gone = Difference(row.key, Differs.MISSING, "somebody deleted it; it is uploaded again")

    (found,) = verify(
        tmp_path,
        {CAD: listed(CAD)},
        Decision(files=(row,)),
        target=FakeTarget(() if is_there else (gone,)),
    )

    assert found.storage == ("still there" if is_there else "not there any more")
    assert found.verdict is Verdict.KEPT
