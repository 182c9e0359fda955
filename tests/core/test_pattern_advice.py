"""Why a pattern takes no file, in words that lead to the one that was meant."""

from __future__ import annotations

import pytest

from twinsyncd.config.patterns import matcher
from twinsyncd.core.pattern_advice import idle_patterns, likely_mistake

PATHS = ["a/plan.dxf", "a/deep/roof.dxf", "notes.pdf", "b.pdf", "#recycle/old.dwg"]


def is_drawing(name: str) -> bool:
    return name.endswith((".dxf", ".dwg"))


def test_a_pattern_is_idle_if_no_file_that_counts_matches_it() -> None:
    """One slip among five patterns is as silent as a source without any match."""
    asked = matcher(["**/*.dxf", "*.dwg", "**/*.dgn"], ["xref/**"])
    counted = [path for path in PATHS if asked.file(path)]

    assert idle_patterns(asked, counted) == ["*.dwg", "**/*.dgn", "xref/**"]


@pytest.mark.parametrize(
    ("include", "references", "exclude", "words"),
    [
        ("*.dxf", (), (), "'a/plan.dxf' lies in a folder below: write **/*.dxf"),
        ("/srv/cad/**/*.dxf", (), (), "counts from the source's folder"),
        ("**/*.dxf", (), ("**",), "excluded by"),
        ("a/*.dxf", ("a/**",), (), 'reference: matched by "a/**"'),
        ("**/*.dwg", (), (), "the recycle bin of a NAS"),
        ("**/*.pdf", (), (), "no connector is known"),
        ("**/*.rvt", (), (), "the folder holds 2 *.dxf, 2 *.pdf, 1 *.dwg"),
    ],
)
def test_the_likely_mistake_is_named(
    include: str, references: tuple[str, ...], exclude: tuple[str, ...], words: str
) -> None:
    """Whoever wrote the pattern believes in it; only the files show what is wrong."""
    asked = matcher([include], references, exclude, is_drawing)

    assert words in likely_mistake(asked, include, PATHS)


def test_an_empty_folder_is_no_mistake() -> None:
    """A new project begins with one."""
    assert "no file yet" in likely_mistake(matcher(["**/*.dxf"]), "**/*.dxf", [])
