"""`twinsyncd service` on Windows: a service of the machine, instead of a unit of systemd."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, cast

import typer

from ..errors import AppError, how_to_install
from .options import find_config, load_config

if TYPE_CHECKING:
    from ..runtime.service_steps import SetupStep
    from .run import Serving

LOG: Final = "log/twinsyncd.log"  # below the state folder

if sys.platform == "win32":

    def steps_to_install(
        config: Path | None, account: str, password: str | None, *, dry_run: bool
    ) -> Sequence[SetupStep]:
        """Return the steps for this configuration; ask for a password that is needed."""
        from ..runtime.windows_install import ACCOUNT, needs_password, windows_install_steps

        _require(dry_run=dry_run)
        from ..runtime.pywin32_service import NAME, WindowsServices

        file = (config or find_config()).expanduser().absolute()
        account, python = account or ACCOUNT, _python()
        if python.is_relative_to(Path.home()):
            typer.echo(
                f"note: {python} lies in a person's own folder, which other accounts cannot enter; "
                "copy the folder of the program to one like C:\\twinsyncd"
            )
        if password is None and needs_password(account) and not dry_run:
            password = typer.prompt(f"Password of {account}", hide_input=True)
        return windows_install_steps(
            load_config(file, folders=False),
            file,
            WindowsServices(NAME),
            python=python,
            account=account,
            password=password,
        )

    def steps_to_uninstall(*, dry_run: bool) -> Sequence[SetupStep]:
        """Return the steps that stop and remove the service."""
        from ..runtime.windows_install import windows_uninstall_steps

        _require(dry_run=dry_run)
        from ..runtime.pywin32_service import NAME, WindowsServices

        return windows_uninstall_steps(WindowsServices(NAME))

    def host(config: Path) -> None:
        """Run the daemon as the service that Windows has just started.

        Windows ends a service that has not connected itself within half a minute, so whatever takes
        long to import waits until it has.
        """
        from ..runtime.pywin32_service import NAME
        from ..runtime.pywin32_service import host as host_service

        host_service(NAME, lambda: _logged_to_a_file(config))

    def _logged_to_a_file(config: Path) -> Serving:
        from ..logs import set_up
        from ..runtime.log_file import LogFile
        from ..runtime.state import journal_file
        from .run import Serving

        checked = load_config(config)
        log = LogFile(journal_file(checked).parent / LOG)
        set_up(checked.daemon.log_format, cast("TextIO", log))
        return Serving(config, checked)

    def _require(*, dry_run: bool) -> None:
        """Raise AppError where no service can be installed."""
        try:
            from ..runtime.pywin32_service import is_administrator
        except ImportError as exc:
            message = "a service needs a part that is not installed (pywin32)"
            raise AppError(message, hint=how_to_install("windows")) from exc
        if not dry_run and not is_administrator():
            hint = "open the window with Run as administrator, or look first: --dry-run"
            raise AppError("only an administrator can install a service", hint=hint)

    def _python() -> Path:
        """Return the program that the service starts. Raises AppError."""
        if sys.prefix != sys.base_prefix:
            message = "a virtual environment can't run a service: its python.exe starts another one"
            raise AppError(message, hint="use the folder that .ci\\package\\windows.ps1 builds")
        return Path(sys.executable)
