# mypy: disable-error-code="arg-type,index,misc"
# Keys, ids and digests are written as plain text here.
"""Whoever gives many files each other's names between two looks changes no element by it (P8)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinsyncd.core import facts
from twinsyncd.core.model import FileKey
from twinsyncd.core.moves import CHAIN_MAX

from .chances import Chances
from .no_collection import no_collection
from .world import World

SOURCE = "one/cad"
NAMES = ("a.dgn", "b.dgn", "c.dgn", "d.dgn", "new/a.dgn", "new/b.dgn", "old/a.dgn", "z.dgn")
SETTLED_S = 400.0


class Shuffled:
    """A calm world with some files, all in the iModel."""

    def __init__(self, *paths: str) -> None:
        self.world = World(7, chances=Chances())
        for path in paths:
            self.save(path, f"content of {path}")
        self.rests()
        rows = self.world.journal.files.values()
        self.ids = {row.seen: row.storage_id for row in rows}
        self.uploads = self._count()

    def save(self, path: str, content: str) -> None:
        """Save a file by replacing it."""
        self.world.drive.replace(FileKey(SOURCE, path), content, self.world.now_s)

    def rename(self, names: Mapping[str, str], *, hinted: bool) -> None:
        """Give files other names, all at once; what has such a name and none new is overwritten."""
        files = self.world.drive.files
        moved = {FileKey(SOURCE, to): files.pop(FileKey(SOURCE, was)) for was, to in names.items()}
        files.update(moved)
        for path in sorted({*names, *names.values()}) if hinted else ():
            self.world.answer(
                self.world.rnd.uniform(0.0, 5.0), facts.Touched(FileKey(SOURCE, path))
            )

    def rests(self) -> None:
        """Let time pass until all that is there has been found."""
        with no_collection():
            self.world.until(self.world.now_s + SETTLED_S)

    def check(self) -> None:
        """Every content is where it was in Storage, once, under the name that it has now."""
        cloud = self.world.clouds["imodel"]
        for key, file in self.world.drive.files.items():
            row = self.world.journal.files[key]
            assert row.seen == row.stored == row.synced == file.content
            assert row.storage_id == self.ids[file.content], f"{key} is another file"
            assert cloud.names[key] == row.storage_id, f"{key} has another name in Storage"
        assert self._count() == self.uploads, "something was uploaded again"
        ids = [row.storage_id for row in self.world.journal.files.values() if row.storage_id]
        assert len(set(ids)) == len(ids) == len(cloud.blobs), "something is there twice"

    def _count(self) -> int:
        return sum(blob.etag for blob in self.world.clouds["imodel"].blobs.values())


@pytest.mark.parametrize("hinted", [True, False])
@pytest.mark.parametrize(
    "names",
    [
        {"a.dgn": "b.dgn", "b.dgn": "c.dgn"},
        {"c.dgn": "f.dgn", "d.dgn": "c.dgn"},
        {"a.dgn": "b.dgn", "b.dgn": "a.dgn"},
        {"a.dgn": "b.dgn", "b.dgn": "c.dgn", "c.dgn": "a.dgn"},
        {"a.dgn": "b.dgn"},
        {"a.dgn": "b.dgn", "b.dgn": "new/b.dgn", "c.dgn": "a.dgn", "d.dgn": "c.dgn"},
    ],
    ids=lambda names: ", ".join(f"{was} to {to}" for was, to in names.items()),
)
def test_renamed_files_stay_what_they_are(names: dict[str, str], hinted: bool) -> None:
    """A chain, a swap, a ring, a file moved over another one."""
    office = Shuffled("a.dgn", "b.dgn", "c.dgn", "d.dgn")

    office.rename(names, hinted=hinted)
    office.rests()

    office.check()


def test_folders_that_change_their_names_keep_their_files() -> None:
    """Last year's folder becomes "old", and this year's takes its place."""
    office = Shuffled("this/a.dgn", "this/b.dgn", "last/a.dgn", "last/b.dgn")

    office.rename(
        {
            "last/a.dgn": "old/a.dgn",
            "last/b.dgn": "old/b.dgn",
            "this/a.dgn": "last/a.dgn",
            "this/b.dgn": "last/b.dgn",
        },
        hinted=False,
    )
    office.rests()

    office.check()


def test_a_long_chain_is_one_renaming_each() -> None:
    """All sheets of a set move on by one number, for a new one at the front."""
    paths = [f"{number:03}.dgn" for number in range(CHAIN_MAX + 10)]
    office = Shuffled(*paths[:-1])

    office.rename(dict(pairwise(paths)), hinted=False)
    office.rests()

    office.check()


def test_the_copy_of_a_file_that_is_edited_is_a_new_file() -> None:
    """The drawing keeps its elements; a copy of how it was is what is new."""
    office = Shuffled("a.dgn")
    office.save("a of monday.dgn", "content of a.dgn")
    office.world.drive.write(FileKey(SOURCE, "a.dgn"), "edited", office.world.now_s)

    office.rests()

    assert office.world.journal.files[FileKey(SOURCE, "a.dgn")].storage_id in office.ids.values()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_names_given_to_any_files_change_nothing_but_names(data: st.DataObject) -> None:
    """One item per file of the drive, nothing uploaded, nothing doubled."""
    paths = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    moved = data.draw(st.lists(st.sampled_from(paths), min_size=1, unique=True))
    to = data.draw(st.permutations(NAMES))
    office = Shuffled(*paths)

    office.rename(dict(zip(moved, to, strict=False)), hinted=data.draw(st.booleans()))
    office.rests()

    office.check()
