"""Which steps install the Windows service for a configuration, and which remove it.

The service runs this Python with `twinsyncd service host`, under an account that need not sign in.
Its configuration and journal lie in one folder that only administrators and that account can open,
so that `twinsyncd status` in an administrator's window finds the same journal.
Source: Microsoft Learn, "Service Recovery Actions" and "sc.exe config", read 2026-11.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from ..config import Config, system_folder
from ..config.secret_files import secret_files
from ..errors import AppError
from .pywin32_service import NAME
from .service_steps import RunCommand, SetupStep
from .state import journal_file

DESCRIPTION: Final = "Keeps iModels equal to folders of the shared drive."
ACCOUNT: Final = "NT AUTHORITY\\NetworkService"
"""Shares see it as the computer's own account, DOMAIN\\COMPUTER$."""

RESTARTS_S: Final = (5, 30, 60)  # after the first, second and each further end by an error
RESET_S: Final = 86_400  # without one, they count from the first again
_SYSTEM, _ADMINISTRATORS = "*S-1-5-18", "*S-1-5-32-544"  # their names differ by language
_BUILT_IN: Final = {
    "localsystem": _SYSTEM,
    "nt authority\\localservice": "*S-1-5-19",
    "nt authority\\networkservice": "*S-1-5-20",
}


class ServiceControl(Protocol):
    """What Windows does with the service of this name. Every method raises AppError."""

    def set_up(self, command: str, account: str, password: str | None) -> None:
        """Make the service, or change it; it starts with the machine."""

    def describe(self, text: str) -> None:
        """Set what the list of services says of it."""

    def delay_start(self) -> None:
        """Start it a little after the others, when the network is there."""

    def set_recovery(self, restarts_s: Sequence[int], reset_s: int) -> None:
        """Restart it after it ended by an error, so many seconds later each time."""

    def allow_logon(self, account: str) -> None:
        """Give the account the right to log on as a service."""

    def add_event_source(self) -> None:
        """Let the event viewer show its messages."""

    def restart(self) -> None:
        """Stop it, if it runs, and start it; return once it runs."""

    def is_installed(self) -> bool:
        """Return whether there is a service of this name."""

    def stop_and_remove(self) -> None:
        """Stop it, if it runs, and remove it and its source of events."""


@dataclass(frozen=True, slots=True)
class ControlStep:
    """A step that the service manager carries out; `text` is the command that does the same."""

    text: str
    act: Callable[[], None] = field(repr=False)
    done: Callable[[], bool] = field(default=lambda: False, repr=False)

    def is_done(self) -> bool:
        """Return whether nothing is left to do; most are the same when done again."""
        return self.done()

    def carry_out(self) -> None:
        """Make the change. Raises AppError."""
        self.act()


def needs_password(account: str) -> bool:
    """Return whether the account signs in with a password; Windows itself keeps that of others."""
    return account.lower() not in _BUILT_IN and not account.endswith("$")


def windows_install_steps(
    config: Config,
    file: Path,
    control: ServiceControl,
    *,
    python: Path,
    account: str = ACCOUNT,
    password: str | None = None,
    home: Path | None = None,
) -> Sequence[SetupStep]:
    """Return the steps, in order; each may be taken again.

    `file` is the configuration, `home` where the service has its own, `python` what it starts.
    Raises AppError for a configuration elsewhere.
    """
    home = home or system_folder()
    if file.parent != home:
        message = f"the service's configuration is {home / file.name}, not {file}"
        hint = f'copy it, with whole paths in it: copy "{file}" "{home / file.name}"'
        raise AppError(message, hint=hint)
    command = subprocess.list2cmdline(
        [str(python), "-m", "twinsyncd", "service", "host", "--config", str(file)]
    )
    return [
        *_access_steps(config, file, account),
        *_service_steps(control, command, account, password),
        ControlStep(f"sc start {NAME}", control.restart),
    ]


def windows_uninstall_steps(control: ServiceControl) -> Sequence[SetupStep]:
    """Return the steps that end and remove the service; configuration and journal stay."""
    text = f"sc stop {NAME} & sc delete {NAME}"
    return [ControlStep(text, control.stop_and_remove, lambda: not control.is_installed())]


def _access_steps(config: Config, file: Path, account: str) -> list[SetupStep]:
    """Return the steps after which only administrators and the account read what is private."""
    state = journal_file(config).parent
    folders = [file.parent] if state.is_relative_to(file.parent) else [file.parent, state]
    return [
        ControlStep(
            f'mkdir "{state}"', lambda: state.mkdir(parents=True, exist_ok=True), state.is_dir
        ),
        *(_access(each, account, "(OI)(CI)M", "(OI)(CI)F") for each in folders),
        *(_access(each, account, "R", "F") for each in secret_files(config)),
    ]


def _access(path: Path, account: str, own: str, full: str) -> RunCommand:
    who = _BUILT_IN.get(account.lower(), account)
    rights = [f"{_SYSTEM}:{full}", f"{_ADMINISTRATORS}:{full}"]
    if who != _SYSTEM:
        rights.append(f"{who}:{own}")
    return RunCommand(("icacls", str(path), "/inheritance:r", "/grant:r", *rights))


def _service_steps(
    control: ServiceControl, command: str, account: str, password: str | None
) -> list[SetupStep]:
    seconds = "/".join(f"restart/{each * 1000}" for each in RESTARTS_S)
    quoted = command.replace('"', '\\"')
    is_built_in = (
        account.lower() in _BUILT_IN
    )  # their password is empty; a managed account has none
    steps = [
        ControlStep(
            f'sc create {NAME} binPath= "{quoted}" start= auto obj= "{account}"',
            lambda: control.set_up(command, account, "" if is_built_in else password),
        ),
        ControlStep(
            f'sc description {NAME} "{DESCRIPTION}"', lambda: control.describe(DESCRIPTION)
        ),
        ControlStep(f"sc config {NAME} start= delayed-auto", control.delay_start),
        ControlStep(
            f"sc failure {NAME} reset= {RESET_S} actions= {seconds} & sc failureflag {NAME} 1",
            lambda: control.set_recovery(RESTARTS_S, RESET_S),
        ),
        ControlStep("add twinsyncd to the sources of the event viewer", control.add_event_source),
    ]
    if not is_built_in:
        right = f"give {account} the right to log on as a service"
        steps.append(ControlStep(right, lambda: control.allow_logon(account)))
    return list(steps)
