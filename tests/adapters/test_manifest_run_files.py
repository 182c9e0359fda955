# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Which files a manifest run names, with which references, and what is known of each document."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from twinsyncd.core.commands import NamedFile
from twinsyncd.core.model import FileKey
from twinsyncd.targets.manifest.documents import document_of
from twinsyncd.targets.manifest.places import ObjectPath
from twinsyncd.targets.manifest.run_files import files_of_run
from twinsyncd.targets.manifest.settings import Document


def file(
    path: str, *, covered: bool = False, source: str = "cad", unmap: bool = False
) -> NamedFile:
    """A file of the connection; most did not change."""
    return NamedFile(FileKey(source, path), f"id:{path}", f"d:{path}", covered, unmap)


def named(*files: NamedFile) -> dict[str, list[str]]:
    """Return the paths of a run's files with those of their references."""
    chosen = files_of_run(files, lambda key: "xref" in key.path)
    return {each.file.key.path: [ref.key.path for ref in each.references] for each in chosen}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([file("a.dgn", covered=True), file("b.dgn")], {"a.dgn": []}),
        (
            [file("a.dgn", covered=True), file("xref/g.dgn")],
            {"a.dgn": ["xref/g.dgn"]},
        ),
        (  # a changed reference makes all that may refer to it due
            [file("a.dgn"), file("b.dgn"), file("xref/g.dgn", covered=True)],
            {"a.dgn": ["xref/g.dgn"], "b.dgn": ["xref/g.dgn"]},
        ),
        (  # but nothing of another folder
            [file("a.dgn", source="bim"), file("xref/g.dgn", covered=True)],
            {},
        ),
        (  # names beside a file are unique, whatever the case: the nearest counts
            [file("s/a.dgn", covered=True), file("xref/G.dgn"), file("s/xref/g.dgn")],
            {"s/a.dgn": ["s/xref/g.dgn"]},
        ),
        ([file("a.dgn", covered=True), file("xref/A.dgn")], {"a.dgn": []}),
        ([file("a.dgn", unmap=True), file("xref/g.dgn")], {"a.dgn": []}),
    ],
)
def test_a_run_names_what_changed_with_the_references_that_it_reads(
    files: list[NamedFile], expected: dict[str, list[str]]
) -> None:
    """A file too few stays old in the iModel; a name twice is refused by the platform."""
    assert named(*files) == expected


@dataclass(frozen=True)
class Source:
    """What a folder says of its documents."""

    document_class: str = "PW:Link"
    document_properties: dict[str, str] = field(default_factory=dict)


def test_a_document_is_filled_in_with_the_files_own_names() -> None:
    """Document management finds the file by these, years later."""
    source = Source(
        document_properties={"CodeValue": "{stem}", "Where": "{folder}/{name}", "S": "{"}
    )

    assert document_of(source, "plans/a.b.dgn") == Document(
        "PW:Link", {"CodeValue": "a.b", "Where": "plans/a.b.dgn", "S": "{"}
    )
    assert document_of(Source(""), "a.dgn") is None


def test_a_path_is_read_as_it_was_written_and_others_are_not_ours() -> None:
    """A bucket may hold more than our objects, and none of that may be deleted."""
    path = ObjectPath("id", "d1", "plan a.dgn")

    assert ObjectPath.read(str(path)) == path
    assert [ObjectPath.read(text) for text in ("a", "a/b", "a/b/c/d")] == [None] * 3
