# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The command line while a share is away: the daemon goes on, so its words must be to be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_scene import CAD, CONFIG, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint, SourceRow

LOOK = Fingerprint(7, 1_700_000_000_000_000_000, 1)
SYNCED = FileRow(FileKey(CAD, "a.dgn"), LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
SCANNED = Decision(files=(SYNCED,), sources=(SourceRow(CAD, "drive"),))
HELD = Decision(sources=(SourceRow(CAD, "drive", "share is away"),))


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """A configured office whose drive is away."""
    office = Office(tmp_path, monkeypatch, capsys)
    office.drive.rmdir()
    return office


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["status"], 1, f"{CAD}: share is away"),
        (["retry"], 0, "when the daemon runs next"),
        (["approve", "Bridge 12"], 0, "nothing of Bridge 12 waits"),
        (["check", "--offline"], 1, "is the share connected?"),
        (["sync", "--dry-run"], 1, "is the share connected?"),
    ],
)
def test_a_share_that_was_there_before_is_offline_and_no_mistake_in_the_file(
    office: Office, command: list[str], code: int, words: str
) -> None:
    """A status that only works while all is well is of no use."""
    office.remember(SCANNED, HELD)

    printed = office.types(*command)

    assert printed.err == ""
    assert words in printed.out
    assert printed.code == code


@pytest.mark.parametrize("command", [["check", "--offline"], ["sync"], ["run"]], ids=" ".join)
def test_a_folder_that_was_never_scanned_is_a_mistake(office: Office, command: list[str]) -> None:
    """A slip of the pen must not look like a share that comes back some day."""
    office.remember(Decision(files=(), sources=(SourceRow(CAD, "", "never seen"),)))

    printed = office.types(*command)

    assert printed.code == 2
    assert f"there is no folder {office.drive}" in printed.err


def test_a_missing_folder_is_told_with_the_other_mistakes(office: Office) -> None:
    """All at once: whether the share is only offline shows once the rest is mended."""
    office.remember(SCANNED)
    office.configure(CONFIG.replace("client_id", "clientid"))

    printed = office.types("check", "--offline")

    assert printed.code == 2
    assert "clientid" in printed.err
    assert "there is no folder" in printed.err


@pytest.mark.parametrize("command", [["status"], ["retry"], ["approve", "Bridge 12"]], ids=" ".join)
def test_a_command_that_only_uses_the_journal_looks_at_no_folder(
    office: Office, command: list[str]
) -> None:
    """On a share that hangs, the first look would block it for minutes (P14)."""
    office.remember(Decision(files=(), sources=(SourceRow(CAD, "", "never seen"),)))

    printed = office.types(*command)

    assert "there is no folder" not in printed.err
    assert printed.code != 2
