"""How the IFC connector finds instances and digests them: whatever the pieces, numbers or depth."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from localtwin.connectors.ifc_digest import Digests
from localtwin.connectors.ifc_hashes import PartHashes
from localtwin.connectors.ifc_notes import Notes
from localtwin.connectors.ifc_scan import StrayStatement, scan
from localtwin.connectors.ifc_schema import schema_of
from localtwin.connectors.ifc_step import StepFile

LINES = [
    "#10= IFCCARTESIANPOINT ( ( 1., -2.5E-1, 3 ) );",
    "#11=IFCPROPERTYSINGLEVALUE('a;b #10 it''s (x','\\X2\\00FC\\X0\\',IFCLABEL('='),$);",
    "#12=IFCPOLYLINE((#10,#13));",
    "#13=IFCCARTESIANPOINT((0.,0.,0.));",
    "#4000000000=IFCWALL('0000000000000000000001',$,$,$,$,$,$,'\N{LATIN SMALL LETTER A}',.T.);",
]


def digests(
    lines: Sequence[str], *, precision: float = 1e-5, piece_bytes: int = 1 << 20
) -> Digests:
    data = "\n".join(lines).encode()
    schema = schema_of("IFC4")
    step = StepFile("IFC4", scan(data))
    return Digests(step, schema, Notes(step, schema), 1e-5)


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 40, 1 << 20])
def test_pieces_make_no_difference(piece_bytes: int) -> None:
    """A statement may begin in one piece and end many pieces later."""
    data = "\n".join(LINES).encode()

    found, whole = scan(data, piece_bytes=piece_bytes), scan(data)
    step = StepFile("IFC4", found)

    assert step.keywords["#4000000000"] == "IFCWALL"
    assert step.arguments["#10"] == "(1.,-2.5E-1,3))"
    assert step.arguments["#11"] == "'a;b #10 it''s (x','\\X2\\00FC\\X0\\',IFCLABEL('='),$)"
    assert list(step.keywords) == ["#10", "#11", "#12", "#13", "#4000000000"]
    assert list(step.by_keyword["IFCCARTESIANPOINT"]) == ["#10", "#13"]
    assert found.references.tolist() == [10, 13]
    assert found.reals.tolist() == [1.0, -0.25, 3.0, 0.0, 0.0, 0.0]
    assert found.own.tolist() == whole.own.tolist()
    assert found.firsts.tolist() == whole.firsts.tolist()


@pytest.mark.parametrize(
    "statement",
    ["hello;", "#1=;", "#1=IFCWALL;", "#1=IFCWALL('a';", "#=IFCWALL();", "#1=ifcwall();", "#1=A()"],
)
def test_what_is_no_instance_is_refused(statement: str) -> None:
    """A damaged line that was skipped would delete what it says."""
    with pytest.raises(StrayStatement):
        scan(f"#5=IFCWALL();{statement}".encode())


def test_section_marks_are_skipped() -> None:
    """A file may have several data sections."""
    found = scan(b"#1=IFCWALL();ENDSEC;\nDATA('a',('IFC4'));\n#2=IFCWALL();")

    assert found.ids.tolist() == [1, 2]


def test_a_part_has_the_same_hash_wherever_it_is() -> None:
    """Long texts are hashed in parts, and statements stand anywhere."""
    text = np.frombuffer(b"wall,door,wall,a wall,wall", np.uint8)
    begins, ends = np.array([0, 5, 10, 15, 22]), np.array([4, 9, 14, 21, 26])

    whole, parts = PartHashes(text).of(begins, ends), PartHashes(text, 5).of(begins, ends)

    assert whole.tolist() == parts.tolist()
    assert len({*whole.tolist()}) == 3
    assert whole[0] == whole[2] == whole[4]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("IFCCARTESIANPOINT((1.,2.,3.))", "IFCCARTESIANPOINT((1.0,2.000000001,3))", True),
        ("IFCCARTESIANPOINT((1.,2.,3.))", "IFCCARTESIANPOINT((1.,2.,3.0001))", False),
        ("IFCCARTESIANPOINT((1.,2.,3.))", "IFCCARTESIANPOINT((2.,1.,3.))", False),
        ("IFCDIRECTION((0.,1.,0.))", "IFCDIRECTION((-0.,1.00000000000001,0.))", True),
        ("IFCDIRECTION((0.,1.,0.))", "IFCDIRECTION((0.,1.,1.E-8))", False),
        ("IFCREAL(9.99999999999)", "IFCREAL(10.)", True),
        ("IFCREAL(12345678.9)", "IFCREAL(12345678.8)", False),
        ("IFCREAL(1.E30)", "IFCREAL(1.E29)", False),
        (
            "IFCLABEL('\\X2\\00FC\\X0\\')",
            "IFCLABEL('\N{LATIN SMALL LETTER U WITH DIAERESIS}')",
            True,
        ),
        ("IFCLABEL('\\X2\\00FC\\X0\\')", "IFCLABEL('u')", False),
        ("IFCLABEL('1.0')", "IFCLABEL('1.')", False),
        ("IFCPOLYLINE((#1, #2))", "IFCPOLYLINE( (#1,#2) )", True),
        ("IFCPOLYLINE((#1,#2))", "IFCPOLYLINE((#2,#1))", False),
        ("IFCPOLYLINE((#1,#2))", "IFCPOLYLINE((#1,#9))", False),
    ],
)
def test_digests_compare_what_is_meant(one: str, other: str, *, is_same: bool) -> None:
    """Writers differ in encoding, blanks and the last digits; none of that is an edit."""
    rest = ["#1=IFCCARTESIANPOINT((0.,0.));", "#2=IFCCARTESIANPOINT((1.,0.));"]

    both = [digests([*rest, f"#3={each};"]).of("#3") for each in (one, other)]

    assert is_same == (both[0] == both[1])


@pytest.mark.parametrize("depth", [3, 50, 3_000])
def test_an_edit_at_the_bottom_is_seen_from_the_top(depth: int) -> None:
    """Placements stand in placements, and shapes are cut from shapes."""
    chain = [f"#{n}=IFCBOOLEANRESULT(.UNION.,#{n + 1},#{n + 1});" for n in range(1, depth)]

    tops = {digests([*chain, f"#{depth}=IFCSPHERE($,{radius});"]).of("#1") for radius in (1.0, 1.5)}

    assert len(tops) == 2


def test_circles_end_and_edits_in_them_count() -> None:
    """A file that refers to itself is wrong, but read to its end."""
    circle = ["#1=IFCBOOLEANRESULT(.UNION.,#2,#3);", "#2=IFCBOOLEANRESULT(.UNION.,#1,#3);"]

    found = {digests([*circle, f"#3=IFCSPHERE($,{radius});"]).of("#1") for radius in (1.0, 1.5)}

    assert len(found) == 2


def test_numbers_and_order_make_no_difference() -> None:
    """Every export numbers its lines anew."""
    chain = [f"#{n}=IFCBOOLEANRESULT(.UNION.,#{n + 1},#{n + 40});" for n in range(1, 40)]
    ends = [f"#{n}=IFCSPHERE($,{n}.5);" for n in range(40, 80)]
    notes = ["#90=IFCSTYLEDITEM(#75,(#91),$);", "#91=IFCSURFACESTYLE($,.BOTH.,());"]
    lines = [*chain, *ends, *notes]
    renumbered = [line.replace("#", "#7") for line in lines]
    random.Random(1).shuffle(renumbered)  # noqa: S311 (no secret)

    first, second = digests(lines), digests(renumbered)

    assert first.of("#1") == second.of("#71")
    assert first.of("#1") != digests([line.replace(".BOTH.", ".POSITIVE.") for line in lines]).of(
        "#1"
    )
