# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""`twinsyncd history` and `explain`: what happened to a file, and what it waits for."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cli_scene import CAD, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import FileKey, FileRow, Fingerprint

DIGEST = "d" * 64
LOOK = Fingerprint(1, 2, 3)
A = FileKey(CAD, "deep/a.dgn")


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office whose journal holds two events of one file and one of a run."""
    office = Office(tmp_path, monkeypatch, capsys)
    now_s = time.time()
    events = (
        Event(EventKind.FILE_STORED, now_s - 9 * 86_400, "Bridge 12", CAD, A.path, DIGEST),
        Event(
            EventKind.FILE_SYNCED,
            now_s - 60,
            "Bridge 12",
            CAD,
            A.path,
            DIGEST,
            run="storageconnections/c/run-7",
            task="task-1",
            changeset="c0ffee",
        ),
        Event(EventKind.RUN_ENDED, now_s - 50, "Bridge 12", text="succeeded [all]"),
        Event(EventKind.FILE_SEEN, now_s - 40, "Bridge 12", CAD, "deep2/b.dgn", DIGEST),
    )
    synced = FileRow(A, LOOK, DIGEST, DIGEST, DIGEST, storage_id="i", in_connection=True)
    refused = FileRow(FileKey(CAD, "bad.dgn"), LOOK, DIGEST, aside="too old: save as V8")
    office.remember(Decision(files=(synced, refused), events=events), beat_s=now_s)
    return office


def test_a_history_shows_the_newest_week_with_its_evidence(office: Office) -> None:
    """An auditor asks which version is in the iModel, and by which run (P12)."""
    printed = office.types("history")

    assert printed.code == 0
    synced, ended, seen = printed.out.splitlines()
    assert f"file.synced  {CAD}/deep/a.dgn  (sha256 dddddddddddd, run run-7, task task-1" in synced
    assert "changeset c0ffee)" in synced
    assert ended.endswith("run.ended  Bridge 12: succeeded [all]")
    assert "file.seen" in seen


@pytest.mark.parametrize("path", ["deep", "deep/a.dgn"])
def test_a_history_of_a_path_is_about_it_and_what_lies_below(office: Office, path: str) -> None:
    """`deep2` is another folder than `deep`."""
    printed = office.types("history", f"{CAD}/{path}", "--since", "30d", "--json")

    kinds = [event["kind"] for event in json.loads(printed.out)]
    assert kinds == ["file.stored", "file.synced"]


def test_a_history_for_a_spreadsheet_has_a_heading(office: Office) -> None:
    """It is opened by people who do not know our fields by heart."""
    head, first, *_ = office.types("history", "--csv").out.splitlines()

    assert head.startswith("kind,at_s,connection,source,path,digest,run,task,changeset,text")
    assert first.startswith("file.synced,")


def test_a_time_that_is_none_is_refused_with_an_example(office: Office) -> None:
    """A traceback helps nobody."""
    printed = office.types("history", "--since", "yesterday")

    assert printed.code == 2
    assert "write it like 90min, 2h or 7d" in printed.err


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("deep/a.dgn", 0, "synced: drive, Storage and iModel have the same content"),
        ("bad.dgn", 1, "set aside: too old: save as V8; try it again: twinsyncd retry"),
        ("never.dgn", 1, "no scan has seen such a file"),
        ("notes.txt", 0, "not taken"),
    ],
)
def test_an_explanation_says_where_a_file_stands(
    office: Office, path: str, code: int, words: str
) -> None:
    """The question is always: why is my drawing not in the model?"""
    with office.daemon_runs():
        printed = office.types("explain", str(office.drive / path))

    assert printed.code == code
    assert words in printed.out
    assert "  pattern  " in printed.out


def test_an_explanation_ends_with_the_last_events(office: Office) -> None:
    """What came before often answers what comes next."""
    printed = office.types("explain", f"{CAD}/deep/a.dgn")

    assert [line.split("  ")[-1] for line in printed.out.splitlines()[-2:]] == [
        "file.stored",
        "file.synced",
    ]


def test_minutes_may_be_written_as_m(office: Office) -> None:
    """Other tools write 90m for ninety minutes; nothing else can be meant."""
    asked = ("90m", "1h30M", "5 m")

    printed = [office.types("history", "--since", each) for each in asked]

    assert [each.code for each in printed] == [0, 0, 0]
