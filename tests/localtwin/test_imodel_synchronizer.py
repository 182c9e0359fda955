"""Whatever a source becomes, the iModel follows it exactly, and its changesets can be undone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import Row, replayed, reverted, tables
from imodel_sources import Model, element, link

from localtwin.connectors.source import Extent, Partition, SourceElement, SourceRelationship
from localtwin.imodel import changeset, synchronizer
from localtwin.imodel.contents import Element, Relationship, elements, relationships
from localtwin.imodel.database import create_imodel, opened
from localtwin.imodel.read import content
from localtwin.imodel.tally import Counts

KEYS = "abcdef"
SQUARE = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)


@dataclass(frozen=True)
class State:
    """All that a source holds: up to six elements, some related, parents perhaps missing."""

    elements: tuple[SourceElement, ...]
    links: tuple[SourceRelationship, ...]

    @property
    def items(self) -> Iterable[SourceElement | SourceRelationship]:
        return *self.elements, *self.links


@st.composite
def states(draw: st.DrawFn) -> State:
    """Return the content of a source; a parent comes before its children, if it comes at all."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    found = tuple(
        element(
            key,
            class_name=draw(st.sampled_from(["Test:Beam", "Test:Slab"])),
            partition=draw(st.sampled_from(Partition)),
            label=draw(st.sampled_from(["", "x", "ÄÖ"])),
            parent=draw(st.none() | st.sampled_from("zabcdef"[: "zabcdef".index(key)])),
            extent=draw(st.none() | st.just(Extent((0, 0, 0), (1, 2, 3)))),
            shape=draw(st.sampled_from(["", "s"])),
            placement=draw(st.none() | st.just((1.0, 2.0))),
            size=draw(st.integers(0, 2)),
        )
        for key in sorted(keys)
    )
    # The outline is a function of what the checksum covers, as the interface demands.
    found = tuple(replace(each, outline=SQUARE) if each.shape else each for each in found)
    pairs = st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS))
    links = tuple(
        SourceRelationship("Test:Holds", *pair, {"weight": draw(st.integers(0, 1))})
        for pair in draw(st.lists(pairs, max_size=3, unique=True))
    )
    return State(found, links)


def contents(file: Path) -> tuple[list[Element], list[Relationship]]:
    """Return what the iModel holds in the words of its sources, without its own ids."""
    with opened(file) as database:
        held = [replace(each, id=0) for each in elements(database)]
        return sorted(held, key=lambda each: each.identifier), list(relationships(database))


def written(model: Model) -> dict[str, list[Row]]:
    return tables(model.file)


Held = dict[tuple[str, ...], object]


def expected_counts(before: State, after: State) -> tuple[Counts, Counts]:
    """Return how many elements and relationships differ, links to absent parents being none."""
    (old, old_links), (new, new_links) = map(held_of, (before, after))
    return difference(old, new), difference(old_links, new_links)


def held_of(state: State) -> tuple[Held, Held]:
    keys = {each.identifier for each in state.elements}
    found: Held = {
        (each.identifier,): (each.checksum(), each.parent in keys) for each in state.elements
    }
    links: Held = {
        (each.source, each.target): each.properties
        for each in state.links
        if {each.source, each.target} <= keys
    }
    return found, links


def difference(old: Held, new: Held) -> Counts:
    both = old.keys() & new.keys()
    updated = sum(old[key] != new[key] for key in both)
    return Counts(len(new.keys() - both), updated, len(old.keys() - both))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(states(), states())
def test_every_edit_is_counted_exactly_and_ends_as_if_it_were_the_first_state(
    before: State, after: State
) -> None:
    """sync(A), sync(B) leaves what sync(B) alone leaves, and reports +1 ~2 -1 exactly."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        model, fresh = Model(Path(one)), Model(Path(other))
        model.sync(*before.items)
        fresh.sync(*after.items)

        tally = model.sync(*after.items)

        assert (tally.elements, tally.relationships) == expected_counts(before, after)
        assert contents(model.file) == contents(fresh.file)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(states())
def test_the_same_content_twice_gives_no_changeset(state: State) -> None:
    """sync(A), sync(A): nothing to push, nothing to review."""
    with TemporaryDirectory() as folder:
        model = Model(Path(folder))
        model.sync(*state.items)
        before = written(model)

        tally = model.sync(*state.items)

        assert not tally.changes
        assert len(model.changesets) == 1
        assert written(model) == before


@pytest.mark.parametrize("batch", [1, 3, synchronizer.BATCH])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(history=st.lists(st.tuples(st.sampled_from(["one", "two"]), states()), max_size=5))
def test_changesets_lead_to_every_state_and_back(
    batch: int, history: list[tuple[str, State]]
) -> None:
    """Applied in order they give the same rows, reverted the rows before, to the last byte.

    However many parts a changeset is recorded and reverted in.
    """
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(synchronizer, "BATCH", batch)
        patch.setattr(changeset, "_PART_ROWS", batch)
        patch.setattr(changeset, "_IN_MEMORY_BYTES", 0)
        model = Model(Path(folder))
        snapshots = [written(model)]
        for name, state in history:
            known = len(model.changesets)
            tally = model.sync(*state.items, name=name)
            assert bool(tally.changes) == (len(model.changesets) > known)
            if tally.changes:
                snapshots.append(written(model))

        copy = Path(folder) / "copy.bim"
        assert replayed(copy, model.changesets) == snapshots[-1]
        for number in reversed(range(len(model.changesets))):
            assert reverted(copy, model.changesets[number : number + 1]) == snapshots[number]


def test_two_sources_with_the_same_identifiers_are_kept_apart(tmp_path: Path) -> None:
    """Handles repeat from drawing to drawing."""
    model = Model(tmp_path)
    model.sync(element("a"), element("b"), link("a", "b"), name="one")
    model.sync(element("a", size=2), name="two")

    model.sync(element("a"), name="one")

    assert [row[:2] for row in content(model.file)] == [("one", "a"), ("two", "a")]


def test_a_source_that_was_emptied_can_be_taken_back(tmp_path: Path) -> None:
    """An empty iModel is the state that every history can be taken back to."""
    model = Model(tmp_path)
    create_imodel(tmp_path / "empty.bim")
    model.sync(element("a"))
    model.sync()

    copy = tmp_path / "copy.bim"
    replayed(copy, model.changesets)

    assert reverted(copy, model.changesets) == tables(tmp_path / "empty.bim")
