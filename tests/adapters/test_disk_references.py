"""What design files name, read in a process of its own, and where it lies."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import ezdxf.filemanagement
import pytest

from twinsyncd.core.references import Reference, candidates, is_file
from twinsyncd.disk.reference_places import find_references
from twinsyncd.disk.reference_process import ReferenceProcess, UnreadableReferencesError
from twinsyncd.disk.tree import Tree


def dxf() -> bytes:
    drawing = ezdxf.filemanagement.new("R2010")
    drawing.add_xref_def("..\\xref\\Grid.dwg", "GRID")
    drawing.modelspace().add_blockref("GRID", (0, 0))
    image = drawing.add_image_def("P:\\jobs\\cad\\img\\site.jpg", (100, 100))
    drawing.modelspace().add_image(image, (0, 0), (1, 1))
    text = io.StringIO()
    drawing.write(text)
    return text.getvalue().encode()


IFC = (
    b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n"
    b"#1=IFCDOCUMENTREFERENCE('docs/B\\X2\\00FC\\X0\\ro''s.pdf','1','x',$,$);\n"
    b"#2= IFCIMAGETEXTURE(.T.,.T.,$,$,('a','b'),'img/wood.png');\n"
    b"#3=IFCDOCUMENTREFERENCE('https://example.org/a.pdf',$,$,$,$);\n"
    b"#4=IFCDOCUMENTREFERENCE($,'2',$,$,$);\n"
    b"ENDSEC;\nEND-ISO-10303-21;\n"
)


@pytest.fixture(scope="module")
def process() -> Iterator[ReferenceProcess]:
    """One for all tests: to begin one takes longer than a test."""
    begun = ReferenceProcess()
    yield begun
    begun.close()


def test_references_of_a_drawing_are_found_where_they_lie(
    process: ReferenceProcess, tmp_path: Path
) -> None:
    """Paths are of the author's machine: with its slashes, drives, and letters of any case."""
    cad = tmp_path / "cad"
    for path in ("plans/a.dxf", "XREF/grid.dwg", "img/site.jpg"):
        (cad / path).parent.mkdir(parents=True, exist_ok=True)
        (cad / path).write_bytes(dxf())
    tree = Tree(cad)

    read = process.read(tree, "plans/a.dxf")
    found = find_references(tree, "plans/a.dxf", read, lambda path: path.endswith(".dwg"))

    assert found == (
        Reference("drawing", "..\\xref\\Grid.dwg", "XREF/grid.dwg", taken=True),
        Reference("image", "P:\\jobs\\cad\\img\\site.jpg", "img/site.jpg", taken=False),
    )


def test_a_missing_reference_lies_nowhere(process: ReferenceProcess, tmp_path: Path) -> None:
    """That is what a person wants to know before a run of forty minutes."""
    (tmp_path / "a.dxf").write_bytes(dxf())
    (tmp_path / "Grid.dwg").mkdir()
    tree = Tree(tmp_path)

    found = find_references(tree, "a.dxf", process.read(tree, "a.dxf"), lambda _: True)

    assert [each.path for each in found] == ["", ""]


def test_ifc_names_documents_and_textures(process: ReferenceProcess, tmp_path: Path) -> None:
    """Its strings have their own escapes, and addresses of the internet are no files."""
    (tmp_path / "a.ifc").write_bytes(IFC)

    assert process.read(Tree(tmp_path), "a.ifc") == (
        Reference("document", "docs/Büro's.pdf"),
        Reference("image", "img/wood.png"),
    )


def test_a_shapefile_is_of_several_parts(process: ReferenceProcess, tmp_path: Path) -> None:
    """Without its table and its index no program opens it."""
    (tmp_path / "roads.SHP").write_bytes(b"")
    (tmp_path / "ROADS.dbf").write_bytes(b"x")
    tree = Tree(tmp_path)

    found = find_references(tree, "roads.SHP", process.read(tree, "roads.SHP"), lambda _: True)

    assert [(each.written, each.path) for each in found] == [
        ("roads.shx", ""),
        ("roads.dbf", "ROADS.dbf"),
    ]


@pytest.mark.parametrize("content", [b"", b"AC1032" + b"\xff" * 5000, b"\xd0\xcf\x11\xe0rubbish"])
def test_a_bad_file_is_an_answer(process: ReferenceProcess, content: bytes, tmp_path: Path) -> None:
    """A file set aside elsewhere must not end the reading of others."""
    (tmp_path / "bad.dwg").write_bytes(content)
    (tmp_path / "good.ifc").write_bytes(IFC)
    tree = Tree(tmp_path)

    with pytest.raises(UnreadableReferencesError):
        process.read(tree, "bad.dwg")

    assert len(process.read(tree, "good.ifc")) == 2


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 11)",
        "import time; time.sleep(600)",
        "import sys; sys.stdin.readline(); print('{\"fou', end='')",
    ],
)
def test_a_file_that_crashes_or_hangs_its_reader_ends_that_alone(
    program: str, tmp_path: Path
) -> None:
    """Native code that takes files apart may do either with the next file."""
    (tmp_path / "a.dwg").write_bytes(b"x")
    process = ReferenceProcess(0.3, program=(sys.executable, "-S", "-c", program))

    with pytest.raises(UnreadableReferencesError, match="ended the program"):
        process.read(Tree(tmp_path), "a.dwg")
    process.close()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("grid.dwg", ["plans/grid.dwg"]),
        (".\\grid.dwg", ["plans/grid.dwg"]),
        ("..\\x\\grid.dwg", ["x/grid.dwg", "plans/grid.dwg"]),
        ("../../outside/grid.dwg", ["plans/grid.dwg"]),
        ("P:\\jobs\\CAD\\x\\grid.dwg", ["x/grid.dwg", "plans/grid.dwg"]),
        ("//server/share/cad/grid.dwg", ["grid.dwg", "plans/grid.dwg"]),
        ("D:\\mine\\grid.dwg", ["plans/grid.dwg"]),
        ("..", []),
    ],
)
def test_a_path_of_the_authors_machine_is_looked_for_here(
    written: str, expected: list[str]
) -> None:
    """As it is written, below the source's folder, and beside the drawing; never outside."""
    assert list(candidates("plans/a.dwg", written, "cad")) == expected


@pytest.mark.parametrize("written", ["", " ", "https://example.org/a.pdf", "file:///a.pdf"])
def test_an_address_is_no_file(written: str) -> None:
    """It can't be missing on the drive."""
    assert not is_file(written)
    assert is_file("c:\\a.pdf")
