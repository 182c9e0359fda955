"""The steps that make a machine run the service, as data: to be shown, or carried out by root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import AppError

if sys.platform != "win32":
    import pwd


class SetupStep(Protocol):
    """One change of the machine."""

    @property
    def text(self) -> str:
        """The change as a shell command, for people."""

    def is_done(self) -> bool:
        """Return whether nothing is left to do."""

    def carry_out(self) -> None:
        """Make the change. Raises OSError, AppError."""


@dataclass(frozen=True, slots=True)
class MakeAccount:
    """An account of the system without a login, whose home is the state folder."""

    name: str
    home: Path

    @property
    def text(self) -> str:
        """The change as a shell command."""
        return " ".join(self._command())

    def is_done(self) -> bool:
        """Return whether the account exists, wherever accounts come from."""
        return _account(self.name) is not None

    def carry_out(self) -> None:
        """Make the account."""
        run(*self._command())

    def _command(self) -> list[str]:
        shell = shutil.which("nologin", path="/usr/sbin:/sbin") or "/bin/false"
        options = ["--system", "--user-group", "--no-create-home", "--shell", shell]
        return ["useradd", *options, "--home-dir", str(self.home), self.name]


@dataclass(frozen=True, slots=True)
class SetFolder:
    """A folder with its owner and mode."""

    folder: Path
    mode: int
    owner: str

    @property
    def text(self) -> str:
        """The change as a shell command."""
        return f"install -d -m {self.mode:04o} -o {self.owner} {self.folder}"

    def is_done(self) -> bool:
        """Return whether it is there with that owner and mode."""
        return self.folder.is_dir() and _has(self.folder, self.mode, self.owner)

    def carry_out(self) -> None:
        """Make the folder, or correct it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _give(self.folder, self.mode, self.owner)


@dataclass(frozen=True, slots=True)
class GiveContents:
    """All that lies in a folder, for its owner: root may have synced before there was a service."""

    folder: Path
    owner: str

    @property
    def text(self) -> str:
        """The change as a shell command."""
        return f"chown -hR {self.owner}: {self.folder}"

    def is_done(self) -> bool:
        """Return whether everything has that owner."""
        account = _account(self.owner)
        found = self.folder.rglob("*")
        return account is not None and all(each.lstat().st_uid == account[0] for each in found)

    def carry_out(self) -> None:
        """Give it away; links themselves, never what they name."""
        run("chown", "-hR", f"{self.owner}:", str(self.folder))


@dataclass(frozen=True, slots=True)
class SetFile:
    """An existing file's owner and mode."""

    file: Path
    mode: int
    owner: str

    @property
    def text(self) -> str:
        """The change as a shell command."""
        return f"chown {self.owner} {self.file} && chmod {self.mode:04o} {self.file}"

    def is_done(self) -> bool:
        """Return whether it has that owner and mode."""
        return _has(self.file, self.mode, self.owner)

    def carry_out(self) -> None:
        """Correct it."""
        _give(self.file, self.mode, self.owner)


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file with its text, which everybody may read."""

    file: Path
    content: str

    @property
    def text(self) -> str:
        """The change in words."""
        return f"write {self.file}"

    def is_done(self) -> bool:
        """Return whether it says exactly that."""
        return self.file.is_file() and self.file.read_text("utf-8") == self.content

    def carry_out(self) -> None:
        """Write it."""
        self.file.write_text(self.content, "utf-8")
        self.file.chmod(0o644)


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """A file that must not be there."""

    file: Path

    @property
    def text(self) -> str:
        """The change as a shell command."""
        return f"rm {self.file}"

    def is_done(self) -> bool:
        """Return whether it is gone."""
        return not self.file.exists()

    def carry_out(self) -> None:
        """Remove it."""
        self.file.unlink()


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command that may always be run again."""

    command: tuple[str, ...]

    @property
    def text(self) -> str:
        """The command itself."""
        return " ".join(self.command)

    def is_done(self) -> bool:
        """Return False: it is run each time."""
        return False

    def carry_out(self) -> None:
        """Run it."""
        run(*self.command)


def run(*command: str) -> None:
    """Run a command of the system. Raises AppError with its own words if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except OSError as exc:
        raise AppError(f"{command[0]} cannot be run: {exc.strerror}") from exc
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise AppError(f"{' '.join(command)} failed: {said}")


def _account(name: str) -> tuple[int, int] | None:
    """Return the numbers of the account and of its group; None if there is no such account."""
    if sys.platform == "win32":
        return None  # `service` is refused there
    else:  # noqa: RET505 - mypy skips what is below an else, and not what follows
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            return None
        return found.pw_uid, found.pw_gid


def _has(path: Path, mode: int, owner: str) -> bool:
    found, account = path.stat(), _account(owner)
    is_owned = account is not None and found.st_uid == account[0]
    return is_owned and found.st_mode & 0o7777 == mode


def _give(path: Path, mode: int, owner: str) -> None:
    account = _account(owner)
    if account is None:
        raise AppError(f"there is no account {owner}")
    if sys.platform != "win32":  # which has no such accounts
        os.chown(path, *account)
    path.chmod(mode)
