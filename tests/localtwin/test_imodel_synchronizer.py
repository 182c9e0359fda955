"""Whatever a source becomes, the iModel follows it exactly, and its changesets tell the story."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from imodel_scene import replayed, reverted, tables

from localtwin.connectors.source import Extent, Partition, SourceElement
from localtwin.imodel.changeset import recording, write_changeset
from localtwin.imodel.database import create_imodel, opened, transaction
from localtwin.imodel.read import content
from localtwin.imodel.synchronizer import Origin, Synchronizer
from localtwin.imodel.tally import Tally

KEYS = "abcdef"
State = dict[str, SourceElement]


@st.composite
def states(draw: st.DrawFn) -> State:
    """Return a source's content: up to six elements in a forest, of mixed kinds."""
    found: State = {}
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True)):
        found[key] = SourceElement(
            identifier=key,
            class_name=draw(st.sampled_from(["Test:Beam", "Test:Slab"])),
            partition=draw(st.sampled_from(Partition)),
            label=draw(st.sampled_from(["", "x", "ÄÖ"])),
            parent=draw(st.none() | st.sampled_from(sorted(found))) if found else None,
            properties={"size": draw(st.integers(0, 2))},
            extent=draw(st.none() | st.just(Extent((0, 0, 0), (1, 2, 3)))),
        )
    return found


def bridged(imodel: Path, changeset: Path, name: str, state: State) -> tuple[Tally, bool]:
    """Bring the source `name` to `state`; returns the tally and whether a changeset came of it."""
    with opened(imodel) as database, transaction(database), recording(database) as session:
        origin = Origin(name, name, "Test", "1", repr(state))
        tally = Synchronizer(database).bridge(origin, state.values())
        changeset_id, _ = write_changeset(session, changeset, "")
    return tally, bool(changeset_id)


def expected_counts(before: State, after: State) -> tuple[int, int, int]:
    kept = before.keys() & after.keys()
    updated = sum(before[key] != after[key] for key in kept)
    return len(after.keys() - kept), updated, len(before.keys() - kept)


def expected_content(sources: Mapping[str, State]) -> list[tuple[str, str, str]]:
    return sorted(
        (name, key, element.checksum())
        for name, state in sources.items()
        for key, element in state.items()
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), states()), max_size=6))
def test_the_imodel_follows_its_sources_and_can_be_replayed_and_undone(
    story: list[tuple[str, State]],
) -> None:
    """Content, counts and changesets are one truth; any difference would break the proof."""
    with TemporaryDirectory() as folder:
        imodel, copy, empty = (Path(folder) / name for name in ("a.bim", "b.bim", "c.bim"))
        create_imodel(imodel)
        create_imodel(empty)
        held: dict[str, State] = {}
        changesets: list[Path] = []
        for number, (name, state) in enumerate(story):
            file = Path(folder) / f"{number}.changeset"
            tally, has_changeset = bridged(imodel, file, name, state)

            told = (tally.elements.inserted, tally.elements.updated, tally.elements.deleted)
            assert told == expected_counts(held.get(name, {}), state)
            assert has_changeset == (any(told) or name not in held)
            assert bool(tally.changes) == has_changeset
            held[name] = state
            changesets += [file] if has_changeset else []

        assert list(content(imodel)) == expected_content(held)
        assert replayed(copy, changesets) == tables(imodel)
        assert reverted(copy, changesets) == tables(empty)
