# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What a command imports: its own modules, and nothing that only others need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from cli_scene import CAD, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint

HEAVY: Final = frozenset(
    {
        "alembic",
        "anyio",
        "http.server",
        "httpx",
        "jinja2",
        "localtwin",
        "prometheus_client",
        "sqlalchemy.dialects.postgresql",
        "starlette",
        "structlog",
        "tomlkit",
        "uvicorn",
        "watchdog",
    }
)
"""What only the daemon, localtwin and commands that ask the platform need."""


def imported_by(folder: Path, *words: str) -> set[str]:
    """Return the modules that a process of the command has imported when it ends."""
    program = (
        "import atexit, sys; from twinsyncd.cli import main; "
        "atexit.register(lambda: sys.__stderr__.write(' '.join(sys.modules))); main()"
    )
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, text=True)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stderr.split())


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("words", "used"),
    [
        ("status --json", "twinsyncd.runtime.status_document"),
        ("explain a.dgn", "twinsyncd.cli.explain"),
    ],
)
def test_what_it_does_not_use_is_not_imported(office: Office, words: str, used: str) -> None:
    """Monitoring asks every minute, and importing is nearly all that such a command costs."""
    row = FileRow(FileKey(CAD, "a.dgn"), Fingerprint(100, 10**9, 7), "v1", "v1", "v1")
    office.remember(Decision(files=(row,)))

    modules = imported_by(office.folder, *words.split())

    assert used in modules
    assert modules & HEAVY == set()


def test_the_help_of_a_command_imports_no_configuration_and_no_other_command(
    tmp_path: Path,
) -> None:
    """Whoever asks for help waits for nothing that only the command itself needs."""
    modules = imported_by(tmp_path, "pause", "--help")

    commands = {each for each in modules if each.startswith("twinsyncd.cli.")}
    assert commands - {"twinsyncd.cli.completion", "twinsyncd.cli.options"} == {
        "twinsyncd.cli.app",
        "twinsyncd.cli.pause",
    }
    assert modules & {"sqlalchemy", "twinsyncd.config", "twinsyncd.journal", *HEAVY} == set()


def test_the_version_alone_imports_nearly_nothing(tmp_path: Path) -> None:
    """Every deployment tool asks for it."""
    modules = imported_by(tmp_path, "--version")

    assert {each for each in modules if each.startswith("twinsyncd")} == {
        "twinsyncd",
        "twinsyncd.cli",
    }
    assert modules & {"pydantic", "typer"} == set()
