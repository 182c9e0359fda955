"""Which files matter: the order of the rules, the pruning, the words."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinsyncd.config.patterns import BadPatternError, matcher
from twinsyncd.core.match import LITTER, litter_but


def is_drawing(name: str) -> bool:
    """True of names that some connector reads."""
    return name.lower().endswith((".dgn", ".dwg", ".ifc", ".land.xml"))


NAMES = st.sampled_from(
    ["a", "B", "xref", "Archive", "old", "a.dgn", "b.DWG", "c.ifc", "c.bak", "é.dgn", ".git", "~$a"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
GLOBS = st.sampled_from(
    [
        "**/*.dgn",
        "**/*.{dgn,dwg}",
        "*.dgn",
        "xref/**",
        "a/*/b/*.dwg",
        "a/**/c.ifc",
        "{a/b,old}/*.dgn",
        "**/old",
        "**/archive/**",
        "[ab]/?/**",
        "**",
        "old/",
        "a\\b\\**",
        "**/*.bak",
        "**/.git/*",
    ]
)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("**/*.dgn", "plan.dgn", True),
        ("**/*.dgn", "a/b/plan.dgn", True),
        ("**/*.dgn", "a/b/plan.dgn.txt", False),
        ("**/*.dgn", "a/plandgn", False),
        ("**/*.{dgn,dwg}", "a/plan.dwg", True),
        ("**/*.{dgn,dwg}", "a/plan.dgn,dwg", False),
        ("*.dgn", "plan.dgn", True),
        ("*.dgn", "a/plan.dgn", False),
        ("a/*.dgn", "a/plan.dgn", True),
        ("a/*.dgn", "a/b/plan.dgn", False),
        ("a/**", "a/b/plan.dgn", True),
        ("a/", "a/b/plan.dgn", True),
        ("a/**/plan.dgn", "a/plan.dgn", True),
        ("a/**/plan.dgn", "b/a/plan.dgn", False),
        ("level ?/*.dgn", "level 3/plan.dgn", True),
        ("level ?/*.dgn", "level 12/plan.dgn", False),
        ("[ab]/*.dgn", "b/plan.dgn", True),
        ("cad\\**\\*.dgn", "cad/x/plan.dgn", True),
        ("./*.dgn", "plan.dgn", True),
        ("/*.dgn", "plan.dgn", True),
        ("**/*+(1).dgn", "a/plan+(1).dgn", True),
    ],
)
def test_a_glob_means_what_a_shell_user_expects(glob: str, path: str, expected: bool) -> None:
    """A pattern that quietly means something else leaves drawings behind."""
    assert expected == matcher([glob]).file(path)


@given(st.lists(GLOBS, min_size=1, max_size=3), GLOBS, PATHS)
def test_no_name_of_a_matched_file_is_passed_over(
    globs: list[str], reference: str, path: str
) -> None:
    """A scan does not even look at a file whose name can match nothing."""
    asked = matcher(globs, references=[reference])

    assert asked.name(path.rpartition("/")[2]) or not asked.file(path)


@pytest.mark.parametrize(
    ("globs", "name", "expected"),
    [
        (["**/*.{dgn,DWG}"], "Plan.Dwg", True),
        (["**/*.{dgn,dwg}"], "plan.log", False),
        (["a/*.dgn", "b/**/*.ifc"], "plan.log", False),
        (["**/*.dgn", "xref/**"], "plan.log", True),
        (["**/*.dgn"], "plan\n.dgn\n", True),
        (["**/*.k"], "plan.\u212a", True),
    ],
)
def test_a_name_is_passed_over_when_every_glob_ends_otherwise(
    globs: list[str], name: str, expected: bool
) -> None:
    """A project folder holds more logs and renders than drawings."""
    assert expected == matcher(globs).name(name)


def test_case_never_decides() -> None:
    """The same file is PLAN.DGN on one machine of the office and plan.dgn on the next."""
    asked = matcher(["Cad/**/*.dgn"], exclude=["**/ARCHIVE/**"])

    assert asked.file("CAD/a/PLAN.DGN")
    assert not asked.file("cad/archive/plan.dgn")


def test_a_name_matches_however_its_accents_are_stored() -> None:
    """A Mac on the same share stores an accented letter as two characters."""
    composed, decomposed = normalize("NFC", "Brücke/é.dgn"), normalize("NFD", "Brücke/é.dgn")

    assert matcher([composed]).file(decomposed)
    assert matcher([decomposed]).file(composed)
    assert matcher([decomposed]).folder(normalize("NFC", "Brücke"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("plan.dgn", "source"),
        ("xref/plan.dgn", "reference"),
        ("xref/photo.jpg", "reference"),
        ("photo.jpg", None),
        ("xref/archive/plan.dgn", None),
        ("xref/plan.bak", None),
    ],
)
def test_a_reference_goes_along_but_is_no_source_file(path: str, expected: str | None) -> None:
    """A file that both patterns match must not be drawn twice, so it is a reference."""
    asked = matcher(["**/*.dgn"], ["xref/**"], ["**/archive/**"], is_drawing)

    assert expected == asked.kind(path)


@pytest.mark.parametrize("glob", ["**/archive/**", "**/archive", "**/archive/", "**/archive/**/"])
def test_an_excluded_folder_takes_everything_below_it_out(glob: str) -> None:
    """However the exclusion is written, nobody wants half of an archive."""
    asked = matcher(["**/*.dgn"], ["**/*.jpg"], [glob])

    assert not asked.folder("a/archive")
    assert not asked.folder("a/archive/2019/deep")
    assert not asked.file("a/archive/plan.dgn")
    assert not asked.file("archive/2019/photo.jpg")
    assert asked.folder("a/archives")
    assert asked.file("a/archives/plan.dgn")


def test_excluding_files_leaves_their_folder_open() -> None:
    """One unwanted kind of file says nothing about its neighbours."""
    asked = matcher(["**/*.dgn"], exclude=["work/*draft*.dgn"])

    assert not asked.file("work/a draft.dgn")
    assert asked.file("work/a.dgn")
    assert asked.folder("work")


def test_only_folders_that_can_hold_a_match_are_listed() -> None:
    """Listing folders is what a scan of a share costs."""
    asked = matcher(["models/*/ifc/*.ifc"], ["xref/**"])
    folders = ["", "models", "models/a", "models/a/ifc", "models/a/ifc/b", "models/a/dwg"]
    folders += ["xref", "xref/deep/er", "other"]

    expected = ["", "models", "models/a", "models/a/ifc", "xref", "xref/deep/er"]
    assert expected == [folder for folder in folders if asked.folder(folder)]


@pytest.mark.parametrize("glob", ["{a/b,old}/*.dgn", "a/{b/*.dgn,c.dgn}", "{a/b/*,x}.dgn"])
def test_a_folder_on_the_way_through_braces_is_listed(glob: str) -> None:
    """Braces may hold slashes, so one of their texts is deeper than another."""
    asked = matcher([glob])

    assert asked.file("a/b/plan.dgn")
    assert [asked.folder(folder) for folder in ("", "a", "a/b")] == [True] * 3


def test_only_files_that_a_connector_can_read_become_source_files() -> None:
    """A pattern for everything must not fail the run on every text file."""
    asked = matcher(["**"], readable=is_drawing)

    assert asked.file("a/plan.DGN")
    assert asked.file("a/road.land.xml")
    assert not asked.file("a/notes.xml")
    assert not asked.file("a/dgn")
    assert "no connector is known" in asked.explain("a/notes.xml")


@pytest.mark.parametrize(
    "path",
    [
        "a/plan.bak",
        "a/plan.DWL2",
        "a/plan.sv$",
        "a/plan.ac$",
        "tower.0001.rvt",
        "tower_backup/x.rvt",
        "tower_BACKUP/deep/x.rvt",
        "Revit_temp/x.rvt",
        "tower.slog",
        "~$list.xlsx",
        "Thumbs.db",
        ".git/plan.dgn",
        "._plan.dgn",
        "@eaDir/plan.dgn",
        "#recycle/plan.dgn",
        "cad/RECYCLED/plan.dgn",
        "Network Trash Folder/plan.dgn",
        ".Trash-1000/files/plan.dgn",
        "#snapshot/2026/plan.dgn",
        "@Recently-Snapshot/GMT/plan.dgn",
        "@Recycle/plan.dgn",
        "@Snapshot/plan.dgn",
        "@sharesnap/plan.dgn",
        "@tmp/plan.dgn",
        "~latest/plan.dgn",
        "RECYCLER/S-1-5/plan.dgn",
        "DfsrPrivate/ConflictAndDeleted/plan.dgn",
        "lost+found/plan.dgn",
        "$Recycle.Bin/plan.dgn",
        "~snapshot/plan.dgn",
    ],
)
def test_what_programs_leave_behind_is_no_design_file(path: str) -> None:
    """Autosaves and lock files change every few seconds and are nobody's work."""
    asked = matcher(["**"])

    assert not asked.file(path)
    assert "built in" in asked.explain(path)


@pytest.mark.parametrize("path", ["tower.rvt", "tower.12345.rvt", "backup/x.rvt", "a.dat", "log"])
def test_names_that_only_resemble_litter_are_kept(path: str) -> None:
    """A rule that is too wide loses real work without a word."""
    assert matcher(["**"]).file(path)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("**/*.bak", "a/plan.bak"),
        ("**/*.{dwg,bak}", "a/plan.bak"),
        ("**/*.[0-9][0-9][0-9][0-9].rvt", "a/tower.0001.rvt"),
        ("**/tower_backup/*.rvt", "tower_backup/x.rvt"),
        ("**/.design/**", "a/.design/x.dgn"),
    ],
)
def test_a_pattern_that_names_litter_gets_it_back(glob: str, path: str) -> None:
    """The built-in list must never be a wall for somebody who knows what he wants."""
    assert matcher([glob]).file(path)


@pytest.mark.parametrize("glob", ["**", "**/*", "**/*.d*", "**/*.{dgn,dwg}", "**/*.rvt", "a_*/b"])
def test_a_pattern_that_names_no_litter_keeps_all_of_it_out(glob: str) -> None:
    """Everything means everything that people made."""
    assert litter_but([glob]) == LITTER


def test_the_explanation_names_the_pattern_that_decided() -> None:
    """The question behind every call for help is why a file is not there."""
    asked = matcher(["**/*.dgn"], ["xref/**"], ["**/old/**", "*draft*"])
    questions = ["a/plan.dgn", "xref/photo.jpg", "b/old/c/plan.dgn", "my draft.dgn", "a.jpg"]

    assert [asked.explain(path) for path in questions] == [
        'source file: matched by "**/*.dgn"',
        'reference: matched by "xref/**"',
        'ignored: the folder "b/old" is excluded by "**/old/**"',
        'ignored: excluded by "*draft*"',
        "ignored: no include or references pattern matches it",
    ]


@pytest.mark.parametrize(
    ("glob", "says"),
    [
        ("", "empty"),
        (" / ", "empty"),
        ("!*.dgn", "exclude"),
        ("P:/cad/*.dgn", "drive"),
        ("//server/share/*.dgn", "server"),
        ("\\\\server\\share\\*.dgn", "server"),
        ("../other/*.dgn", "cannot leave"),
        ("{1..5000}", "braces"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(glob: str, says: str) -> None:
    """It would be accepted for years without matching one file."""
    with pytest.raises(BadPatternError, match=says):
        matcher([glob])


@given(
    path=PATHS,
    include=st.lists(GLOBS, min_size=1, max_size=3),
    references=st.lists(GLOBS, max_size=2),
    exclude=st.lists(GLOBS, max_size=2),
)
def test_every_folder_above_a_match_is_listed(
    path: str, include: list[str], references: list[str], exclude: list[str]
) -> None:
    """A scan that prunes the way to a match takes the file for deleted."""
    asked = matcher(include, references, exclude)
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(len(parts))]

    assert not asked.file(path) or all(asked.folder(folder) for folder in above)


@given(path=PATHS, include=st.lists(GLOBS, min_size=1, max_size=3), exclude=st.lists(GLOBS))
def test_a_closed_folder_holds_no_match(path: str, include: list[str], exclude: list[str]) -> None:
    """The hint of the watcher and the pruned scan must come to the same answer."""
    asked = matcher(include, (), exclude)
    parts = path.split("/")
    closed = [not asked.folder("/".join(parts[:depth])) for depth in range(len(parts))]

    assert not (any(closed) and asked.file(path))


@given(
    path=PATHS,
    include=st.lists(GLOBS, max_size=3),
    references=st.lists(GLOBS, max_size=2),
    exclude=st.lists(GLOBS, max_size=2),
)
@settings(deadline=None)
def test_the_explanation_always_agrees_with_the_verdict(
    path: str, include: list[str], references: list[str], exclude: list[str]
) -> None:
    """An explanation that contradicts what happens is worse than none."""
    asked = matcher(include, references, exclude, is_drawing)
    words = {"source": "source file:", "reference": "reference:", None: "ignored:"}

    assert asked.explain(path).startswith(words[asked.kind(path)])


@given(path=PATHS, globs=st.lists(GLOBS, min_size=1, max_size=3))
def test_case_changes_no_verdict(path: str, globs: list[str]) -> None:
    """A case-only rename is the same file."""
    asked = matcher(globs)

    assert asked.file(path) == asked.file(path.upper())
