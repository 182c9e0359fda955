"""What `twinsyncd verify` prints of few files, and of many."""

from __future__ import annotations

import pytest

from twinsyncd.cli.verify import FULL_MAX, show
from twinsyncd.core.model import SourceKey
from twinsyncd.runtime.verified_file import Verdict, VerifiedFile

CAD = SourceKey("Bridge/cad")


def verified(number: int, verdict: Verdict = Verdict.CURRENT) -> VerifiedFile:
    """Return a file whose steps can be told apart."""
    fix = "" if verdict is Verdict.CURRENT else "twinsyncd sync"
    return VerifiedFile(
        CAD,
        f"{number:03}.dgn",
        f"drive of {number}",
        "as remembered",
        "in the connection",
        "run r-1",
        f"changeset of {number}",
        verdict,
        fix,
    )


def test_every_step_of_a_few_files_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for one file wants the proof."""
    show([verified(number) for number in range(FULL_MAX)])

    printed = capsys.readouterr().out
    assert all(f"drive of {number}" in printed for number in range(FULL_MAX))
    assert f"{FULL_MAX} files: {FULL_MAX} current" in printed
    assert "name a file" not in printed


def test_of_many_files_those_that_are_not_current_stand_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten thousand files of six lines each would hide the one that matters."""
    show([*(verified(number) for number in range(FULL_MAX)), verified(500, Verdict.NOT_CURRENT)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "current      Bridge/cad/000.dgn"
    assert lines[1] == "current      Bridge/cad/001.dgn"
    assert "    drive        drive of 500" in lines
    assert "    next         twinsyncd sync" in lines
    assert not [line for line in lines if "drive of 3" in line]
    assert lines[-1].startswith("name a file")


def test_a_source_that_could_not_be_read_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    """It was left out, and the rest was called current."""
    whole = VerifiedFile(CAD, "", "not read: it hangs", "", "", "", "", Verdict.UNKNOWN)

    show([verified(1), whole])

    printed = capsys.readouterr().out
    assert (
        "unknown      Bridge/cad (the whole source)\n    drive        not read: it hangs" in printed
    )
    assert "1 file and 1 whole source: 1 current, 1 unknown" in printed
