"""Which steps install the systemd service for a configuration, and which remove it.

Secrets stay files of root (mode 0600); systemd hands them over as credentials, named like the
files, and the configuration finds them there. So one path serves the service and root's shell.
Source: systemd.exec(5), "LoadCredential=", read 2026-11.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..config import Config, system_folder
from ..config.secret_files import holds_secrets, secret_files
from ..errors import AppError
from ..shipped import UNIT, shipped
from .service_account import UNIT as NAME
from .service_steps import (
    GiveContents,
    MakeAccount,
    RemoveFile,
    RunCommand,
    SetFile,
    SetFolder,
    SetupStep,
    WriteFile,
)
from .state import journal_file

ACCOUNT: Final = "twinsyncd"
UNIT_FILE: Final = Path("/etc/systemd/system") / NAME
_SYSTEMCTL: Final = "systemctl"


def install_steps(
    config: Config,
    file: Path,
    *,
    account: str = ACCOUNT,
    program: Path | None = None,
    unit_file: Path = UNIT_FILE,
    home: Path | None = None,
) -> Sequence[SetupStep]:
    """Return the steps, in order; those that are done already may be left out.

    `file` is the configuration, `home` the folder where services have theirs, `program` what the
    service starts.
    Raises AppError if two secrets have files of one name, and for a configuration elsewhere, since
    `status` in a shell would not find its journal.
    """
    state = journal_file(config).parent
    is_system = file.parent == (home or system_folder())
    if not is_system:
        place, mode = system_folder() / file.name, mode_of(config)
        raise AppError(
            f"the service's configuration is {place}, not {file}",
            hint=f"copy it: sudo install -D -m {mode:04o} {file} {place}   "
            "(and write whole paths in it)",
        )
    credentials = _credentials(config)
    unit = unit_text(config, file, account=account, program=program or this_program())
    return [
        MakeAccount(account, state),
        SetFolder(file.parent, 0o755, "root"),
        SetFile(file, mode_of(config), _owner(config, account)),
        SetFolder(state, 0o700, account),
        GiveContents(state, account),
        *(SetFile(secret, 0o600, "root") for secret in credentials),
        WriteFile(unit_file, unit),
        RunCommand((_SYSTEMCTL, "daemon-reload")),
        RunCommand((_SYSTEMCTL, "enable", NAME)),
        RunCommand((_SYSTEMCTL, "restart", NAME)),
    ]


def mode_of(config: Config) -> int:
    """Return who may read the file of the configuration: its owner alone if it holds secrets."""
    return 0o600 if holds_secrets(config) else 0o644


def uninstall_steps(unit_file: Path = UNIT_FILE) -> Sequence[SetupStep]:
    """Return the steps that end and remove the service; configuration and journal stay."""
    return [
        RunCommand((_SYSTEMCTL, "disable", "--now", NAME)),
        RemoveFile(unit_file),
        RunCommand((_SYSTEMCTL, "daemon-reload")),
    ]


def unit_text(config: Config, file: Path, *, account: str, program: Path) -> str:
    """Return the unit: the one that comes with the program, for this configuration."""
    text = shipped(UNIT).read_text("utf-8")
    state = journal_file(config).parent
    loaded = [f"LoadCredential={each.name}:{each}" for each in _credentials(config)]
    text = _replaced(text, "ExecStart", f"ExecStart={program} run --config {file}")
    text = _replaced(text, "User", f"User={account}")
    text = _replaced(text, "LoadCredential", "\n".join(loaded))
    if state == Path("/var/lib/twinsyncd"):
        return text
    text = _replaced(text, "StateDirectory", f"ReadWritePaths={state}")
    return _replaced(text, "StateDirectoryMode", "")


def this_program() -> Path:
    """Return the command that this process was started by. Raises AppError."""
    program = Path(sys.executable).parent / "twinsyncd"
    if not program.is_file():
        hint = "install it with pip into an environment of its own, like /opt/twinsyncd"
        raise AppError(f"there is no {program}, which the service would start", hint=hint)
    return program


def advice(config: Config, file: Path, program: Path) -> Iterator[str]:
    """Yield what may keep the service from working although every step succeeds."""
    for home in (Path("/root"), Path("/home")):
        closed = f"lies in {home}, which other accounts usually cannot enter"
        if program.is_relative_to(home):
            yield f"the program {closed}; install it in /opt/twinsyncd"
        elif (python := Path(sys.executable).resolve()).is_relative_to(home):
            yield (
                f"the Python of {program.parent.parent} is {python}, which {closed}; make that "
                "environment anew with one for all accounts, like /usr/bin/python3 -m venv"
            )
    if config.auth.kind == "user":
        yield f"a person signs in: sudo -u {ACCOUNT} twinsyncd login --config {file}"


def _credentials(config: Config) -> list[Path]:
    """Return the files with secrets. Raises AppError if two have one name."""
    found = secret_files(config)
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        message = (
            f"two files with secrets are called {twice}, and the service gets each by its name"
        )
        raise AppError(message, hint="rename one of them, and its line in the configuration")
    return found


def _owner(config: Config, account: str) -> str:
    """Return who owns the configuration: the service, where only its owner may read it."""
    return account if holds_secrets(config) else "root"


def _replaced(text: str, key: str, line: str) -> str:
    """Return the unit with the line of this key replaced; with "" it is removed."""
    pattern = re.compile(rf"(?m)^{key}=.*\n")
    assert pattern.search(text), f"the unit has no {key}="
    return pattern.sub(lambda _: f"{line}\n" if line else "", text, count=1)
