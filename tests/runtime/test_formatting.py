"""How numbers are said to people."""

from __future__ import annotations

import time

import pytest

from twinsyncd.runtime.formatting import clock_time, count, duration, size, visible, with_it


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3.0, "0.0 s"),
        (0.0, "0.0 s"),
        (0.26, "0.3 s"),
        (9.94, "9.9 s"),
        (10.0, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61.0, "1 min 1 s"),
        (3_599.4, "59 min 59 s"),
        (3_600.0, "1 h"),
        (86_399.0, "23 h 59 min"),
        (86_400.0, "1 d"),
        (100 * 86_400.0, "100 d"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, words: str) -> None:
    """Nobody plans a day by 86,399 seconds."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12_345, "12,345 files")]
)
def test_a_count_has_its_noun(number: int, words: str) -> None:
    """ "1 files" is how a program says that nobody looked at it."""
    assert count(number, "file") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/drive/new cad/p/a.dgn is incomplete: it ends", "it is incomplete: it ends"),
        ("cannot read /drive/p/a.dgn: permission denied", "cannot read it: permission denied"),
        ("/d/p/a.dgn has the name of /d/p/A.dgn for Windows", "it has the name of /d/p/A.dgn for "),
        (r"\\server\cad\p\a.dgn is incomplete", "it is incomplete"),
        (r"cannot read C:\cad\p\a.dgn: denied", "cannot read it: denied"),
        ("open by anna since 09:14: /d/p/a.dgn; taken once", "open by anna since 09:14; taken"),
        ("/drive/p/a.dgnx is incomplete", "/drive/p/a.dgnx is incomplete"),
        ("the run failed: p/a.dgn is bad", "the run failed: p/a.dgn is bad"),
        ("refused", "refused"),
    ],
)
def test_a_reason_beside_the_name_of_its_file_says_it(text: str, words: str) -> None:
    """A path of 200 characters twice on one line hides what is wrong."""
    assert with_it(text, "p/a.dgn").startswith(words)


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1.0 KiB"),
        (1_536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (3 * 1024**4, "3.0 TiB"),
        (5_000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_a_size_has_the_largest_unit_that_fits(size_bytes: float, words: str) -> None:
    """Powers of two, and named so."""
    assert size(size_bytes) == words


def test_a_moment_is_told_in_the_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person compares it with the clock on the wall."""
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()

    assert clock_time(1_700_000_000.0) == "2023-11-15 00:13:20"

    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plan 1.dgn", "plan 1.dgn"),
        ("Brücke 橋.dgn", "Brücke 橋.dgn"),
        ("a\x1b[31m.dgn", "a\\u001b[31m.dgn"),
        ("a\nb.dgn", "a\\u000ab.dgn"),
        ("\u202egpj.dgn", "\\u202egpj.dgn"),
        ("a\u2028b", "a\\u2028b"),
        ("\U000e0001", "\\U000e0001"),
        ("\ud800", "\\ud800"),
        ("caf\udce9.dgn", "caf\\xe9.dgn"),
    ],
)
def test_characters_that_cannot_be_seen_are_shown(text: str, shown: str) -> None:
    """A name with a newline forges a line, one with a right-to-left mark another name."""
    assert visible(text) == shown
