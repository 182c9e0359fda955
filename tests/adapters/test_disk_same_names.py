# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""Two files that Windows and Storage take for one never take each other's place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from scan_scene import Drawings, Memory, remembering

from twinsyncd.config.patterns import matcher
from twinsyncd.core.model import UNLIKE_ANY, Digest, Fingerprint
from twinsyncd.disk.folder import Folder
from twinsyncd.disk.look import look
from twinsyncd.disk.tree import Lister, Tree
from twinsyncd.errors import DiskError

COMPOSED, DECOMPOSED = "b\u00fcro.dgn", "bu\u0308ro.dgn"

PAIRS = [
    ("Plan.dgn", "plan.dgn", "upper and lower case"),
    (COMPOSED, DECOMPOSED, "how their accents are encoded"),
    (f"x/{COMPOSED}", f"x/{DECOMPOSED}", "how their accents are encoded"),
    ("Site/a.dgn", "site/b.dgn", "upper and lower case"),
    ("site/a.dgn", "site./a.dgn", "dots or blanks at the end"),
    ("STRASSE.dgn", "stra\u00dfe.dgn", "upper and lower case"),
]


def saved(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())
    if len(list(folder.rglob("*.dgn"))) < len(paths):
        pytest.skip("this file system keeps one name for both")


def taken(folder: Folder, path: str) -> Digest:
    fingerprint = look(folder.tree, path)
    assert fingerprint is not None
    return folder.digest_of_new(path, fingerprint)


@pytest.mark.parametrize(("one", "other", "difference"), PAIRS)
def test_the_file_that_was_there_first_goes_on(
    one: str, other: str, difference: str, tmp_path: Path
) -> None:
    """Both are named, what is alike, and the way out; whichever of them came first."""
    for first, second in ((one, other), (other, one)):
        (drive := tmp_path / first.replace("/", "-")).mkdir()
        saved(drive, one, other)
        folder = Folder("s", Tree(drive), Drawings(), remembering(drive, first))

        assert taken(folder, first)
        with pytest.raises(DiskError) as refused:
            taken(folder, second)

        for path in (first, second):
            assert str(drive / path.partition("/")[0]) in str(refused.value)
        assert f"they differ only in {difference}" in str(refused.value)
        assert "; rename one of them" in refused.value.with_hint


def test_of_two_new_files_one_is_taken(tmp_path: Path) -> None:
    """Which one must not depend on whose content settles first."""
    saved(tmp_path, "Plan.dgn", "plan.dgn", "other.dgn")
    folder = Folder("s", Tree(tmp_path), Drawings(), Memory())

    assert taken(folder, "Plan.dgn")
    assert taken(folder, "other.dgn")
    with pytest.raises(DiskError, match=r"Plan\.dgn"):
        taken(folder, "plan.dgn")


def test_one_that_was_refused_does_not_count_as_known(tmp_path: Path) -> None:
    """It is remembered as unreadable, so that it can be missed; the next try must not take it."""
    saved(tmp_path, "Plan.dgn", "plan.dgn")
    known = remembering(tmp_path, "Plan.dgn", "plan.dgn")
    known.change("plan.dgn", UNLIKE_ANY)

    with pytest.raises(DiskError):
        taken(Folder("s", Tree(tmp_path), Drawings(), known), "plan.dgn")


def test_files_that_were_both_taken_before_go_on(tmp_path: Path) -> None:
    """An earlier version stored both under their names; to stop one would be no help."""
    saved(tmp_path, "Plan.dgn", "plan.dgn")
    known = remembering(tmp_path, "Plan.dgn", "plan.dgn")
    folder = Folder("s", Tree(tmp_path), Drawings(), known)

    assert taken(folder, "Plan.dgn") != taken(folder, "plan.dgn")


def test_the_way_out_is_noticed(tmp_path: Path) -> None:
    """What the message advises must help, without a restart."""
    saved(tmp_path, "Plan.dgn", "plan.dgn")
    known = remembering(tmp_path, "Plan.dgn")
    folder = Folder("s", Tree(tmp_path), Drawings(), known)
    with pytest.raises(DiskError):
        taken(folder, "plan.dgn")

    (tmp_path / "Plan.dgn").rename(tmp_path / "Plan 2.dgn")
    known.change("Plan.dgn", None)

    assert taken(folder, "plan.dgn")


@pytest.mark.parametrize(("one", "other"), [("Plan.dgn", "plan.dgn"), (COMPOSED, DECOMPOSED)])
def test_a_twin_that_was_refused_waits_until_the_other_one_counts_as_gone(
    one: str, other: str, tmp_path: Path
) -> None:
    """Uploaded before, it would lie beside the other one in Storage, as nobody can have them."""
    saved(tmp_path, one, other)
    known = remembering(tmp_path, one, other)
    known.change(other, UNLIKE_ANY)
    (tmp_path / one).unlink()

    folder = Folder("s", Tree(tmp_path), Drawings(), known)
    with pytest.raises(DiskError, match="takes the place of") as refused:
        taken(folder, other)
    known.change(one, None)

    assert "two lists a minute apart" in refused.value.with_hint
    assert taken(folder, other)


def test_the_journal_is_asked_once_for_what_was_refused_in_a_folder(tmp_path: Path) -> None:
    """A first sync reads each file of a large folder; its rows must not be read each time."""
    paths = [f"{number}.dgn" for number in range(5)]
    saved(tmp_path, *paths)
    asked = []

    class Counting(Memory):
        def files(self, source: str, folder: str) -> Mapping[str, Fingerprint | None]:
            asked.append(folder)
            return super().files(source, folder)

    folder = Folder("s", Tree(tmp_path), Drawings(), Counting())

    for path in paths:
        taken(folder, path)

    assert asked == [""]


def test_what_is_not_taken_is_no_other_file(tmp_path: Path) -> None:
    """A note beside the drawing, or an archive of that name, is nobody's rival."""
    saved(tmp_path, "plan.dgn")
    (tmp_path / "PLAN.DGN").mkdir()
    (tmp_path / "Plan.dgn ").write_bytes(b"x")

    assert taken(Folder("s", Tree(tmp_path), matcher(["**/*.dgn"]), Memory()), "plan.dgn")


def test_a_name_that_changed_in_case_alone_is_no_other_file(tmp_path: Path) -> None:
    """Windows renames in place; the journal has the old name until the next scan."""
    saved(tmp_path, "PLAN.dgn")
    known = Memory()
    known.change("plan.dgn", look(Tree(tmp_path), "PLAN.dgn"))

    assert taken(Folder("s", Tree(tmp_path), Drawings(), known), "PLAN.dgn")


def test_a_folder_is_listed_once_for_many_new_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first sync of ten thousand files in one folder must not list it ten thousand times."""
    names = [f"a{i}.dgn" for i in range(50)]
    saved(tmp_path, *names)
    listed: list[str] = []
    lists: Lister = Tree.list

    def counted(tree: Tree, path: str) -> object:
        listed.append(path)
        return lists(tree, path)

    monkeypatch.setattr(Tree, "list", counted)
    folder = Folder("s", Tree(tmp_path), Drawings(), Memory())

    for name in names:
        assert taken(folder, name)

    (tmp_path / "a1.dgn").rename(tmp_path / "a1.bak")  # as AutoCAD saves
    saved(tmp_path, "a1.dgn")
    assert taken(folder, "a1.dgn")

    assert listed == [""]


def test_a_file_that_was_taken_under_another_case_is_no_longer_the_first(tmp_path: Path) -> None:
    """It was renamed in case, and later another one came with the former name."""
    saved(tmp_path, "Plan.dgn")
    known = Memory()
    folder = Folder("s", Tree(tmp_path), Drawings(), known)
    taken(folder, "Plan.dgn")
    (tmp_path / "Plan.dgn").rename(tmp_path / "plan.dgn")
    taken(folder, "plan.dgn")
    known.change("plan.dgn", look(folder.tree, "plan.dgn"))
    saved(tmp_path, "Plan.dgn", "plan.dgn")

    with pytest.raises(DiskError, match="has the name of"):
        taken(folder, "Plan.dgn")
