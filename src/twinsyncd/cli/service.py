"""`twinsyncd service`: install and remove the service, each step printed.

By systemd; on Windows as a service of the machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AppError
from .options import FILE, ConfigOption, find_config, load_config

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime.service_steps import SetupStep

COPIED: Final = "the copy needs whole paths of folders and secrets, not relative ones"
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the steps, and change nothing; needs no rights.")
]

Password = Annotated[
    str | None,
    typer.Option(
        envvar="TWINSYNCD_SERVICE_PASSWORD",
        help="The account's; asked for where one is needed.",
        hidden=sys.platform != "win32",
    ),
]

app = typer.Typer(help="Install or remove the service of this machine (systemd or Windows).")


@app.command()
def install(
    config: ConfigOption = None,
    account: Annotated[
        str,
        typer.Option(
            help="The account to run as. By default twinsyncd, which is made if it does not "
            "exist; on Windows NetworkService, which shares see as the computer's account."
        ),
    ] = "",
    password: Password = None,
    dry_run: DryRun = False,
) -> None:
    """Make account, folders and unit, hand secrets over by systemd, enable and start.

    On Windows: rights, the service, its recovery. May be run again after an update or a change:
    it restarts the service.
    """
    if sys.platform == "win32":
        from .service_windows import steps_to_install

        _carry_out(steps_to_install(config, account, password, dry_run=dry_run), dry_run=dry_run)
        if not dry_run:
            typer.echo("\nThe service runs. See:  twinsyncd status")
        return
    _require_systemd(dry_run=dry_run)
    file = (config or find_config()).expanduser().absolute()
    checked = load_config(file, folders=False)

    from ..runtime.service_install import ACCOUNT, advice, install_steps, this_program

    for text in advice(checked, file, this_program()):
        typer.echo(f"note: {text}")
    if dry_run:
        checked, file = _as_if_copied(checked, file)
    _carry_out(install_steps(checked, file, account=account or ACCOUNT), dry_run=dry_run)
    if not dry_run:
        typer.echo(f"\nThe service runs. See:  twinsyncd status --config {file}")
        typer.echo(f"As it sees the drives:  sudo twinsyncd check --config {file}")


@app.command()
def uninstall(dry_run: DryRun = False) -> None:
    """Stop and remove the service; configuration, journal and account stay."""
    if sys.platform == "win32":
        from .service_windows import steps_to_uninstall

        _carry_out(steps_to_uninstall(dry_run=dry_run), dry_run=dry_run)
        return
    _require_systemd(dry_run=dry_run)

    from ..runtime.service_install import uninstall_steps

    _carry_out(uninstall_steps(), dry_run=dry_run)
    if not dry_run:
        typer.echo(
            "\nThe service is removed. Left: /etc/twinsyncd, /var/lib/twinsyncd, the account."
        )


if sys.platform == "win32":

    @app.command(hidden=True)
    def host(config: Annotated[Path, typer.Option()]) -> None:
        """Run the daemon as the service that Windows has just started."""
        from .service_windows import host as host_service

        host_service(config)


def _as_if_copied(config: Config, file: Path) -> tuple[Config, Path]:
    """Return the configuration where the service has its own, and print how it gets there."""
    from ..config import system_folder
    from ..config.load import usual_state_folder
    from ..runtime.service_install import mode_of

    place = system_folder() / FILE
    if file.parent == place.parent:
        return config, file
    typer.echo(f"note: {COPIED}")
    typer.echo(f"{'yours to do':13} install -D -m {mode_of(config):04o} {file} {place}")
    if config.daemon.state_folder != usual_state_folder(file, os.environ):
        return config, place
    folder = {"state_folder": usual_state_folder(place, os.environ)}
    daemon = config.daemon.model_copy(update=folder)
    return config.model_copy(update={"daemon": daemon}), place


def _require_systemd(*, dry_run: bool) -> None:
    if sys.platform == "win32" or dry_run:
        return
    if not Path("/run/systemd/system").is_dir():
        hint = "let your service manager run: twinsyncd run --config FILE"
        raise AppError("this machine was not started by systemd", hint=hint)
    if os.geteuid() != 0:
        hint = "run it with sudo, or look first: twinsyncd service install --dry-run"
        raise AppError("only root can install a service", hint=hint)


def _carry_out(steps: Sequence[SetupStep], *, dry_run: bool) -> None:
    for step in steps:
        if dry_run:
            mark = "done already" if _is_done(step) else "would do"
            typer.echo(f"{mark:13} {step.text}")
            continue
        if step.is_done():
            typer.echo(f"done already  {step.text}")
            continue
        try:
            step.carry_out()
        except OSError as exc:
            raise AppError(f"{step.text}: {exc.strerror}") from exc
        typer.echo(f"done          {step.text}")


def _is_done(step: SetupStep) -> bool:
    try:
        return step.is_done()
    except OSError:
        return False  # not for this account to look at
