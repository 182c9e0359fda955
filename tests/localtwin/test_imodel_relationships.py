"""Relationships of a source are rows of the iModel, and follow the source like its elements."""

from pathlib import Path

import pytest
from imodel_scene import replayed, reverted, tables
from imodel_sources import Model, element, link

from localtwin.imodel.database import create_imodel
from localtwin.imodel.report import Changes
from localtwin.imodel.tally import Counts

A, B, C = element("a"), element("b"), element("c")


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def test_a_relationship_is_a_row_with_its_class_and_properties(model: Model) -> None:
    """A viewer asks what a beam is connected to."""
    tally = model.sync(A, B, link("a", "b", since=3))

    assert model.relationships() == [("Test:Holds", "a", "b", '{"since": 3}')]
    assert tally.relationships == Counts(inserted=1)


def test_the_same_relationships_give_no_changeset(model: Model) -> None:
    """Only a difference may be written."""
    model.sync(A, B, link("a", "b", since=3))

    tally = model.sync(A, B, link("a", "b", since=3))

    assert (tally.relationships, tally.changes) == (Counts(), Changes.NONE)
    assert len(model.changesets) == 1


def test_a_repeated_relationship_counts_once(model: Model) -> None:
    """A file that states a connection twice still has one connection; the first one is kept."""
    tally = model.sync(A, B, link("a", "b", since=3), link("a", "b", since=4))

    assert model.relationships() == [("Test:Holds", "a", "b", '{"since": 3}')]
    assert tally.relationships == Counts(inserted=1)


def test_class_source_and_target_identify_a_relationship(model: Model) -> None:
    """Two kinds of connection between two elements are two connections, in either direction."""
    model.sync(A, B, link("a", "b"), link("b", "a"), link("a", "b", "Test:Cuts"))

    assert len(model.relationships()) == 3


def test_a_relationship_follows_its_source(model: Model) -> None:
    """Added, edited and removed relationships are counted, and their elements are not touched."""
    model.sync(A, B, C, link("a", "b", since=1), link("a", "c"))

    tally = model.sync(A, B, C, link("a", "b", since=2), link("b", "c"))

    assert tally.relationships == Counts(1, 1, 1)
    assert tally.elements == Counts()
    assert tally.changes == Changes.SPATIAL_DATA
    assert [row[1:3] for row in model.relationships()] == [("a", "b"), ("b", "c")]


def test_a_relationship_goes_with_its_element(model: Model) -> None:
    """A row that points at a deleted element would break every viewer."""
    model.sync(A, B, link("a", "b"))

    tally = model.sync(A)

    assert tally.relationships == Counts(deleted=1)
    assert model.rows("SELECT * FROM bis_ElementRefersToElements") == []


def test_a_relationship_with_an_absent_element_is_left_out_and_counted(model: Model) -> None:
    """The run's report has to say that something of the file was not kept."""
    model.sync(A, B, link("a", "b"))

    tally = model.sync(A, link("a", "b"), link("a", "unknown"))

    assert (tally.unresolved, tally.relationships) == (2, Counts(deleted=1))
    assert model.relationships() == []


def test_relationships_of_another_source_stay(model: Model) -> None:
    """Identifiers repeat from file to file."""
    model.sync(A, B, link("a", "b"), name="one")
    model.sync(A, B, link("a", "b"), name="two")

    model.sync(name="two")

    assert model.rows("SELECT count(*) FROM bis_ElementRefersToElements") == [(1,)]


def test_changesets_carry_relationships_and_geometry(model: Model, tmp_path: Path) -> None:
    """Applying the history must give the same iModel, and reverting it the old one."""
    square = [[(0.0, 0.0), (1.0, 0.0)]]
    model.sync(element("a", outline=square, shape="s"), B, link("a", "b", since=1))
    model.sync(element("a", outline=square, shape="t"), B, C, link("a", "b", since=2))
    model.sync(B, C, link("b", "c"))
    create_imodel(tmp_path / "empty.bim")

    copy = replayed(tmp_path / "copy.bim", model.changesets)

    assert copy == tables(model.file)
    assert reverted(tmp_path / "copy.bim", model.changesets) == tables(tmp_path / "empty.bim")
