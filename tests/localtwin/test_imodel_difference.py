"""A changeset can be read: which element, which property, from what to what."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_sources import Model, element, link

from localtwin.connectors.source import Extent, Partition
from localtwin.imodel.changeset import ConflictError
from localtwin.imodel.database import opened, transaction
from localtwin.imodel.difference import Difference, difference
from localtwin.imodel.tally import Counts

SQUARE = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def last_difference(model: Model, *, limit: int | None = None) -> Difference:
    with opened(model.file) as database, transaction(database):
        return difference(database, model.changesets[-1], limit=limit)


def stated(found: Difference) -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    return {
        each.element.identifier: (each.kind, [tuple(change) for change in each.properties()])
        for each in found.elements
        if each.kind == "updated"
    }


def test_each_property_that_differs_is_named_with_both_values(model: Model) -> None:
    """ "2 updated" is no answer to "what did they change in my drawing?"."""
    model.sync(
        element("a", label="Old", width=1, Pset={"Span": 8.0, "Load": "x"}),
        element("b", extent=Extent((0, 0, 0), (1, 1, 1))),
        element("c"),
    )

    model.sync(
        element("a", label="New", width=1, Pset={"Span": 9.5, "Fire": "R60"}),
        element("b", extent=Extent((0, 0, 0), (2, 1, 1))),
        element("c"),
    )

    assert stated(last_difference(model)) == {
        "a": (
            "updated",
            [
                ("Pset.Fire", None, "R60"),
                ("Pset.Load", "x", None),
                ("Pset.Span", 8.0, 9.5),
                ("label", "Old", "New"),
            ],
        ),
        "b": ("updated", [("extent", [0, 0, 0, 1, 1, 1], [0, 0, 0, 2, 1, 1])]),
    }


def test_inserted_and_deleted_elements_are_shown_whole(model: Model) -> None:
    """What was deleted is in the changeset and nowhere else."""
    model.sync(element("a", label="Gone", outline=SQUARE, width=1))

    model.sync(element("b", label="Here", parent=None, height=2))

    inserted, deleted = last_difference(model).elements
    assert (inserted.kind, inserted.before, inserted.element.label) == ("inserted", None, "Here")
    assert [tuple(each) for each in inserted.properties()][:2] == [
        ("class", None, "Test:Beam"),
        ("height", None, 2),
    ]
    assert (deleted.kind, deleted.after, deleted.element.identifier) == ("deleted", None, "a")
    assert tuple(deleted.element.outline) == SQUARE
    assert ("width", 1, None) in [tuple(each) for each in deleted.properties()]


def test_a_changed_shape_a_moved_element_and_another_parent_are_differences(model: Model) -> None:
    """None of them is a property of the source, and each is an edit."""
    model.sync(element("p"), element("q"), element("a", shape="s", placement=(1.0,), parent="p"))

    model.sync(element("p"), element("q"), element("a", shape="t", placement=(2.0,), parent="q"))

    assert stated(last_difference(model))["a"][1] == [
        ("parent", "p", "q"),
        ("placement", (1.0,), (2.0,)),
        ("shape", "s", "t"),
    ]


def test_an_element_in_another_model_or_class_is_the_same_element(model: Model) -> None:
    """It kept its identifier, so it was changed, not replaced."""
    model.sync(element("a"))

    model.sync(element("a", class_name="Test:Slab", partition=Partition.SHEET))

    assert stated(last_difference(model))["a"][1] == [
        ("class", "Test:Beam", "Test:Slab"),
        ("model", "BisCore:PhysicalModel", "BisCore:SheetModel"),
    ]


def test_relationships_schema_and_source_are_part_of_the_difference(model: Model) -> None:
    """A changeset that touches no element is not empty."""
    model.sync(element("a"), element("b"), link("a", "b"), version="1")

    model.sync(element("a", x=1), element("b"), link("b", "a"), version="2")

    found = last_difference(model)
    assert [tuple(each) for each in found.relationships] == [
        ("inserted", "Test:Holds", "b", "a"),
        ("deleted", "Test:Holds", "a", "b"),
    ]
    assert found.schema == ["property x (int) added to Test:Beam"]
    assert "source: connector version 1 -> 2" in found.sources


def test_a_limit_bounds_what_is_read_and_not_what_is_counted(model: Model) -> None:
    """The first run of a large file inserts a million elements."""
    model.sync(*(element(f"e{n}") for n in range(9)), element("x"))

    found = last_difference(model, limit=3)

    assert len(found.elements) == 3
    assert found.counts == {"inserted": 10, "updated": 0, "deleted": 0}


def test_reading_a_difference_changes_nothing(model: Model) -> None:
    """The state before is only looked at."""
    model.sync(element("a"), element("b"), link("a", "b"))
    model.sync(element("a", x=1), link("a", "a"))
    before = model.relationships(), model.rows("SELECT * FROM bis_Element")

    last_difference(model)

    assert (model.relationships(), model.rows("SELECT * FROM bis_Element")) == before


def test_the_changeset_of_another_state_is_an_error(model: Model, tmp_path: Path) -> None:
    """A wrong answer about the past would be worse than none."""
    model.sync(element("a"))
    model.sync(element("a", x=1))
    model.sync(element("a", x=2))

    with opened(model.file) as database, transaction(database), pytest.raises(ConflictError):
        difference(database, model.changesets[1])


KEYS = st.sampled_from("abc")
ITEMS = st.dictionaries(KEYS, st.integers(0, 2), max_size=3)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(ITEMS, ITEMS)
def test_the_difference_has_exactly_what_the_report_counted(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, int], after: dict[str, int]
) -> None:
    """The report and the details come from different places and must agree."""
    model = Model(tmp_path_factory.mktemp("model"))
    model.sync(*(element(key, size=size) for key, size in before.items()))

    tally = model.sync(*(element(key, size=size) for key, size in after.items()))

    if tally.changes:
        counts = last_difference(model).counts
        assert Counts(counts["inserted"], counts["updated"], counts["deleted"]) == tally.elements
    else:
        assert before == after
