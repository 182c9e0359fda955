# mypy: disable-error-code="arg-type"
# Keys and digests are written as plain text here.
"""What commands say of a folder: of all files below it, in each source that reads it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cli_scene import CAD, CONFIG, Office, Printed

from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint
from twinsyncd.core.progress import UnsettledFile

SECOND = """
  [[connection.source]]
  folder = "cad"
  storage_folder = "dwg"
  include = ["**/*.dwg"]
"""
LOOK = Fingerprint(3, 1, 7)
PIER, DECK = FileKey(CAD, "piers/a.dgn"), FileKey(CAD, "deck/b.dgn")


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office with one connection."""
    return Office(tmp_path, monkeypatch, capsys)


def synced(key: FileKey) -> FileRow:
    """Return a file that is in the iModel."""
    return FileRow(key, LOOK, "v1", "v1", "v1", seen_s=1.0)


def asks(office: Office, *words: str, **more: Any) -> Printed:
    """Ask while a daemon runs that looked at the drive just now."""
    rows = (synced(PIER), synced(DECK))
    office.remember(Decision(files=rows), beat_s=time.time(), **more)
    with office.daemon_runs():
        return office.types(*words)


def test_a_folder_is_not_synced_while_a_file_in_it_is_written(office: Office) -> None:
    """It said "nothing is left to do", and exit code 0."""
    written = UnsettledFile(CAD, "piers/new.dgn", time.time() - 3.0, "it keeps changing")
    more = {"unsettled": 1, "unsettled_files": [written]}

    shown = asks(office, "status", f"{CAD}/piers", **more)
    with office.daemon_runs():
        machine = json.loads(office.types("status", "--json", f"{CAD}/piers").out)
        other = office.types("status", f"{CAD}/deck")

    assert shown.code == 1
    assert "1 file in it still settling: piers/new.dgn" in shown.out
    assert machine["synced"] is False
    assert (other.code, "synced: 1 file" in other.out) == (0, True)


def test_nothing_is_synced_for_sure_while_files_are_written_that_are_not_named(
    office: Office,
) -> None:
    """Only some of many are named; the file may be one of the others."""
    shown = asks(office, "status", f"{CAD}/{DECK.path}", unsettled=7)

    assert shown.code == 1
    assert "perhaps it is one of 7 more files that are still settling" in shown.out


@pytest.mark.parametrize("command", ["status", "history", "explain"])
def test_a_folder_that_two_sources_read_is_found_in_both(office: Office, command: str) -> None:
    """`init` makes a source for each connector; only the first of them was asked."""
    office.configure(CONFIG + SECOND)
    config = load(office.config)
    second = config.connection[0].key_of(config.connection[0].source[1])
    later = FileKey(second, "piers/c.dwg")
    office.remember(Decision(files=(synced(later),)))

    shown = asks(office, command, str(office.drive / "piers"))

    assert "nothing is known" not in shown.out + shown.err
    assert "ignored" not in shown.out
    if command == "status":
        assert f"{CAD}/piers" in shown.out
        assert f"{second}/piers" in shown.out


def test_a_folder_is_explained_as_one(office: Office) -> None:
    """It was "ignored: no include matches it"."""
    shown = asks(office, "explain", str(office.drive))

    assert shown.code == 0
    assert "2 files" in shown.out
    assert "a folder" in shown.out


def test_a_mistyped_connection_is_answered_with_their_names(office: Office) -> None:
    """It "lies in no configured folder", which helped nobody."""
    shown = office.types("status", "Brigde 12")

    assert 'the connections are called "Bridge 12"' in shown.err
