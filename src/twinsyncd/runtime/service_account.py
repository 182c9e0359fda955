"""Runs a command as the account of the installed service, with the secrets it gets from systemd.

What root may read says nothing about what the service may: shares and folders have their own
rights. So `twinsyncd check` by root, about the service's configuration, examines as that account.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..config import system_folder
from ..errors import AppError

UNIT: Final = "twinsyncd.service"
UNIT_FOLDERS: Final = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
_IN_MEMORY: Final = (Path("/dev/shm"), Path("/run"))  # noqa: S108 - the folder in it is private
_SETTING: Final = re.compile(r"(?m)^\s*(User|LoadCredential)\s*=\s*(.*?)\s*$")
_CANNOT_RUN: Final = 126


def run_as_service(
    file: Path,
    command: Sequence[str],
    *,
    folders: Sequence[Path] = UNIT_FOLDERS,
    home: Path | None = None,
    memory: Path | None = None,
) -> int:
    """Run `twinsyncd` with these arguments as the service's account; return its exit code.

    -1: nothing was run, since this is not root, the service is not installed, or `file` is not its
    configuration. `folders` are those of units, `home` that of the service's configuration,
    `memory` where secrets are handed over: unless given, a file system in memory.
    Raises AppError if the account does not exist or cannot run this program.
    """
    if sys.platform == "win32":
        return -1
    else:  # noqa: RET505 - mypy skips what is below an else, and not what follows
        if os.geteuid() != 0 or file.parent != (home or system_folder()):
            return -1
        settings = unit_settings(folders)
        account = next((value for key, value in reversed(settings) if key == "User"), "")
        if account in ("", "root"):
            return -1
        credentials = [value for key, value in settings if key == "LoadCredential"]
        return _run_as(account, [sys.executable, "-m", "twinsyncd", *command], credentials, memory)


def unit_settings(folders: Sequence[Path] = UNIT_FOLDERS) -> list[tuple[str, str]]:
    """Return User= and LoadCredential= of the installed unit and of its drop-ins."""
    unit = next((folder / UNIT for folder in folders if (folder / UNIT).is_file()), None)
    if unit is None:
        return []
    added = [each for folder in folders for each in sorted((folder / f"{UNIT}.d").glob("*.conf"))]
    texts = [each.read_text("utf-8", "replace") for each in (unit, *added)]
    return [(found[1], found[2]) for text in texts for found in _SETTING.finditer(text)]


if sys.platform != "win32":
    import pwd

    def _run_as(
        account: str, command: Sequence[str], credentials: Sequence[str], memory: Path | None
    ) -> int:
        try:
            entry = pwd.getpwnam(account)
        except KeyError as exc:
            message = f"the service runs as the account {account}, which does not exist"
            hint = "make it: twinsyncd service install"
            raise AppError(message, hint=hint) from exc
        groups = os.getgrouplist(account, entry.pw_gid)
        with _handed_over(credentials, entry.pw_uid, memory) as folder:
            env = {**os.environ, "HOME": entry.pw_dir, "CREDENTIALS_DIRECTORY": str(folder)}
            try:
                done = subprocess.run(  # noqa: S603 - our own program with our own arguments
                    command,
                    user=entry.pw_uid,
                    group=entry.pw_gid,
                    extra_groups=groups,
                    env=env,
                    cwd="/",
                    check=False,
                )
            except PermissionError as exc:
                message = f"the account {account} of the service cannot run {command[0]}"
                hint = "install twinsyncd where all accounts can read it, like /opt/twinsyncd"
                raise AppError(message, hint=hint) from exc
        return done.returncode if done.returncode >= 0 else _CANNOT_RUN

    @contextmanager
    def _handed_over(credentials: Sequence[str], uid: int, memory: Path | None) -> Iterator[Path]:
        """Yield a folder with the secrets that only this account can read, as systemd makes one."""
        usual = (each for each in _IN_MEMORY if each.is_dir())
        folder = Path(tempfile.mkdtemp(prefix="twinsyncd-", dir=memory or next(usual, None)))
        try:
            for name, _, source in (each.partition(":") for each in credentials):
                if source and Path(source).is_file():
                    copy = folder / name
                    copy.touch(0o400)
                    copy.write_bytes(Path(source).read_bytes())
                    os.chown(copy, uid, -1)
            os.chown(folder, uid, -1)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
