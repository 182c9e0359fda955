"""Reference attachments of DGN files: those of V7, and of V8 as its compound file keeps them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from dgn_files import FULL_PATH, NAME, control, element, string, v7, v8

from twinsyncd.disk.dgn_references import UnreadableDesignFileError
from twinsyncd.disk.reference_process import ReferenceProcess
from twinsyncd.disk.reference_scan import references_in
from twinsyncd.disk.tree import Tree

MODEL = "Dgn-Md/#000000/Dgn^C/$1"


def attachments(folder: Path, content: bytes) -> list[tuple[str, str]]:
    file = folder / "a.dgn"
    file.write_bytes(content)
    return references_in(str(file), file.name)


def trouble(folder: Path, content: bytes) -> str:
    with pytest.raises(UnreadableDesignFileError) as caught:
        attachments(folder, content)
    return str(caught.value)


def test_v7_names_its_attachments_but_not_those_of_the_past(tmp_path: Path) -> None:
    """A detached one is only marked as deleted until somebody compresses the file."""
    content = v7("..\\xref\\grid.dgn", "Lageplan_Süd.dgn", deleted=["old.dgn"])

    assert attachments(tmp_path, content) == [
        ("drawing", "..\\xref\\grid.dgn"),
        ("drawing", "Lageplan_Süd.dgn"),
    ]


@pytest.mark.parametrize("end", [5, -700])
def test_a_v7_file_cut_short_is_an_answer(end: int, tmp_path: Path) -> None:
    """No attachment must be called missing, nor left out, because half of the file is there."""
    assert trouble(tmp_path, v7("grid.dgn")[:end]) == "it is cut short"


def test_v8_names_the_attachments_and_images_of_all_its_models(tmp_path: Path) -> None:
    """One without a file name attaches a model of the same file; the past is no attachment."""
    content = v8(
        {
            MODEL: control(
                element(66, string(NAME, b"no attachment.dgn")),
                element(100, string(2, b"Master Model"), string(NAME, b"..\\xref\\grid.dgn")),
                element(100, string(21, b"another model"), string(2, b"self")),
                element(100, string(NAME, b"gone.dgn"), deleted=True),
            ),
            "Dgn-Md/#000001/Dgn^C/$1": control(element(90, string(NAME, b"img\\site.jpg"))),
            ".Logfile/Dgn-Md/#000000/Dgn^C/$1": control(element(100, string(NAME, b"past.dgn"))),
        }
    )

    assert attachments(tmp_path, content) == [
        ("drawing", "..\\xref\\grid.dgn"),
        ("image", "img\\site.jpg"),
    ]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(b"S\xfcd.dgn", "Süd.dgn", id="8-bit"),
        pytest.param(b"\xff\xfe\x01\x00S\xfcd.dgn\0\0", "Süd.dgn", id="8-bit with a mark"),
        pytest.param(
            b"\xff\xfd" + "Łódź.dgn".encode("utf-16-le"), "Łódź.dgn", id="16-bit with a mark"
        ),
        pytest.param("\ufeffŁódź.dgn".encode("utf-16-le"), "Łódź.dgn", id="16-bit"),
    ],
)
def test_v8_stores_names_in_several_ways(stored: bytes, expected: str, tmp_path: Path) -> None:
    """A name that is read wrongly would be called missing although the file is there."""
    content = v8({MODEL: control(element(100, string(NAME, stored)))})

    assert attachments(tmp_path, content) == [("drawing", expected)]


@pytest.mark.parametrize(
    ("name", "full", "expected"),
    [
        ("grid.dgn", "P:\\job\\cad\\xref\\GRID.dgn", "P:\\job\\cad\\xref\\GRID.dgn"),
        ("grid.dgn", "P:\\job\\cad\\xref\\other.dgn", "grid.dgn"),
        ("..\\xref\\grid.dgn", "P:\\job\\cad\\xref\\grid.dgn", "..\\xref\\grid.dgn"),
        ("MS_RFDIR:grid.dgn", "P:\\job\\xref\\grid.dgn", "P:\\job\\xref\\grid.dgn"),
        ("MS_RFDIR:grid.dgn", "", "grid.dgn"),
        ("site.jpg", "file://D:\\job\\img\\site.jpg", "D:\\job\\img\\site.jpg"),
        ("D:\\mine\\grid.dgn", "", "D:\\mine\\grid.dgn"),
        ("https://example.org/a.jpg", "", "https://example.org/a.jpg"),
    ],
)
def test_a_name_without_a_folder_is_looked_for_where_it_was(
    name: str, full: str, expected: str, tmp_path: Path
) -> None:
    """MicroStation finds such a file by its variables, which the drive does not have."""
    linkages = [string(NAME, name.encode()), string(FULL_PATH, full.encode())]

    content = v8({MODEL: control(element(100, *linkages))})

    assert attachments(tmp_path, content) == [("drawing", expected)]


def test_a_v8_file_that_differs_is_not_guessed_at(tmp_path: Path) -> None:
    """Nothing documents the format: what does not fit it to the last byte may mean anything."""
    one = element(100, string(NAME, b"grid.dgn"))
    longer = struct.pack("<4xHHIIIQd", 100, 0, 90_000, 16, 0, 7, 0.0)

    assert "states 9 elements, and 2 can be read" in trouble(
        tmp_path, v8({MODEL: control(one, stated=9)})
    )
    assert "can be read" in trouble(tmp_path, v8({MODEL: control(one, longer)}))
    assert "can be read" in trouble(tmp_path, v8({MODEL: control(one, bytes(40))}))


def test_a_protected_v8_file_says_so(tmp_path: Path) -> None:
    """What it attaches is inside of it, for its own program only."""
    assert trouble(tmp_path, v8({MODEL: bytes(16) + b"\x63\x75" * 3000})).startswith(
        "it is protected"
    )


def test_another_compound_file_is_no_dgn(tmp_path: Path) -> None:
    """A document that somebody renamed attaches nothing that could be known."""
    assert (
        trouble(tmp_path, v8({"WordDocument": bytes(5000)}))
        == "it is no DGN, or one without models"
    )
    assert trouble(tmp_path, b"%PDF-1.7") == "it is no DGN of a known version"
    assert "damaged" in trouble(tmp_path, v8({MODEL: control()})[:600])


def test_a_v8_file_whose_models_attach_nothing_is_no_trouble(tmp_path: Path) -> None:
    """Most have no control elements at all."""
    assert attachments(tmp_path, v8({"Dgn-Md/#000000/Dgn^G/$1": control()})) == []


def test_the_words_of_a_bad_file_come_out_of_its_process(tmp_path: Path) -> None:
    """A person reads why, without the name of a class in front of it."""
    (tmp_path / "a.dgn").write_bytes(b"rubbish")
    process = ReferenceProcess()

    try:
        with pytest.raises(Exception, match=r"^it is no DGN of a known version$"):
            process.read(Tree(tmp_path), "a.dgn")
    finally:
        process.close()
