"""`twinsyncd check`: can it work as configured? Each step with what was found and the fix."""

from __future__ import annotations

from typing import Annotated

import typer

from .markup import plain
from .options import ConfigOption, load_config


def check(
    config: ConfigOption = None,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the cloud out.")] = False,
) -> None:
    """Check the configuration, the drives and the platform; changes nothing."""
    checked = load_config(config)

    from rich.console import Console

    from ..runtime.setup_check import findings

    console = Console(highlight=False)
    names = ", ".join(connection.name for connection in checked.connection)
    console.print(f"[green]ok[/]    configuration: {plain(names)}")
    good = True
    for finding in findings(checked, offline=offline):
        good &= finding.good
        mark = "[green]ok[/]  " if finding.good else "[red]FAIL[/]"
        console.print(f"{mark}  {plain(finding.step)}: {plain(finding.found)}", soft_wrap=True)
        if finding.fix:
            console.print(f"      fix: {plain(finding.fix)}", soft_wrap=True)
    raise typer.Exit(0 if good else 1)
