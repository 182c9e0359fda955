# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The shell completes what a person would otherwise copy from `status`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_scene import CAD, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint

PATHS = ("plan/level 1/a.dgn", "plan/level 1/b.dgn", "plan/site.dgn", "plain.dgn")


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office with some files."""
    monkeypatch.setattr(sys.modules["__main__"], "__package__", "")  # else a test run is seen
    monkeypatch.setenv("_TWINSYNCD_COMPLETE", "complete_bash")
    office = Office(tmp_path, monkeypatch, capsys)
    rows = [FileRow(FileKey(CAD, path), Fingerprint(1, 1, 1), "v1") for path in PATHS]
    office.remember(Decision(files=(*rows, FileRow(FileKey(CAD, "plan/gone.dgn")))))
    return office


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("pause B", [r"Bridge\ 12"]),
        ("pause X", []),
        ("approve ", [r"Bridge\ 12"]),
        ("status ", [r"Bridge\ 12", r"Bridge\ 12/cad/"]),
        (r"explain Bridge\ 12/ca", [r"Bridge\ 12/cad/"]),
        (r"explain Bridge\ 12/cad/pla", [r"Bridge\ 12/cad/plain.dgn", r"Bridge\ 12/cad/plan/"]),
        (
            "retry 'Bridge 12/cad/plan/",
            [r"Bridge\ 12/cad/plan/level\ 1/", r"Bridge\ 12/cad/plan/site.dgn"],
        ),
        (r"history Bridge\ 12/cad/plan/site.dgn", []),
        ("manual sec", ["security"]),
        ("connectors civil3", ["civil3d"]),
    ],
)
def test_the_shell_completes_names_and_paths(
    office: Office, monkeypatch: pytest.MonkeyPatch, typed: str, offered: list[str]
) -> None:
    """Long paths with spaces are typed wrongly; only commands were completed."""
    monkeypatch.setenv("COMP_WORDS", f"twinsyncd {typed}")
    monkeypatch.setenv("COMP_CWORD", "2")

    printed = office.types()

    assert printed.out.split("\n")[:-1] == (offered or [""])
    assert printed.err == ""


def test_nothing_is_completed_without_a_configuration(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error amid the line that somebody types would be worse than nothing."""
    office.configure("nonsense")
    monkeypatch.setenv("COMP_WORDS", "twinsyncd status B")
    monkeypatch.setenv("COMP_CWORD", "2")

    printed = office.types()

    assert (printed.out.strip(), printed.err) == ("", "")
