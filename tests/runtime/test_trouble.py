"""What a daemon waits for is known also where the state folder cannot be written (P12, P15)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from twinsyncd.runtime import trouble
from twinsyncd.runtime.held_file import is_held
from twinsyncd.runtime.trouble import Trouble, TroubleFile

READ_ONLY = Trouble("its disk is mounted read-only; mount it for writing", 1.0)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for running programs of this account."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(trouble, "OF_SERVICE", tmp_path / "no-service")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A state folder that not even root can make, since a file is in the way."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "state"


def test_what_cannot_be_noted_beside_the_journal_is_noted_elsewhere(
    running: Path, unwritable: Path
) -> None:
    """`status` said "Not running" of a daemon that waited for a read-only disk."""
    waiting, asking = TroubleFile(unwritable), TroubleFile(unwritable)
    waiting.write(READ_ONLY)
    waiting.write(READ_ONLY)

    assert asking.read() == READ_ONLY
    assert asking.is_held_elsewhere()
    assert TroubleFile(unwritable.with_name("other")).read() is None, "another daemon is well"

    waiting.write(None)
    assert (asking.read(), asking.is_held_elsewhere()) == (None, False)
    assert list(running.iterdir()) == []


def test_what_was_noted_before_the_disk_became_read_only_is_outdated(
    running: Path, tmp_path: Path
) -> None:
    """The file beside the journal keeps what a start wrote, and cannot be changed any more."""
    waiting = TroubleFile(tmp_path)
    waiting.write(Trouble("it opens its journal", 1.0, is_start=True))
    file = tmp_path / "trouble.json"
    content = file.read_bytes()
    file.unlink()
    file.mkdir()  # nobody can write to it, not even root
    waiting.write(READ_ONLY)
    file.rmdir()
    file.write_bytes(content)

    assert TroubleFile(tmp_path).read() == READ_ONLY

    waiting.write(Trouble("the disk is full", 2.0))
    assert TroubleFile(tmp_path).read() == Trouble("the disk is full", 2.0)
    assert list(running.iterdir()) == [], "it lies beside the journal again"


def test_what_a_killed_daemon_waited_for_is_not_said_of_the_next(
    running: Path, unwritable: Path
) -> None:
    """The file stays behind a process that is killed; its lock does not."""
    waiting = TroubleFile(unwritable)
    waiting.write(READ_ONLY)
    held = waiting._elsewhere
    assert held is not None
    held.release()

    assert len(list(running.glob("*.json"))) == 1
    assert TroubleFile(unwritable).read() is None


def test_a_file_of_another_account_is_not_believed(
    running: Path, unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for everybody may hold it; who came first there may not say how a daemon is."""
    waiting = TroubleFile(unwritable)
    waiting.write(READ_ONLY)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)  # neither it nor root owns the file
    monkeypatch.setattr(trouble, "ROOT", 4712)

    assert TroubleFile(unwritable).read() is None


def test_a_lock_is_seen_without_writing(tmp_path: Path) -> None:
    """On a read-only disk a lock file can be opened for reading alone."""
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with FileLock(lock):
        lock.chmod(0o400)
        assert is_held(lock)
    assert not is_held(lock)
