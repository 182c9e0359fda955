"""`twinsyncd approve`: say that a source that looks wrong is meant to look so."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import AppError
from .options import ConfigOption, load_config


def approve(
    connection: Annotated[str, typer.Argument(help="The connection's name.")],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Accept what is found on a connection's drives: mass deletion, emptiness, another drive."""
    checked = load_config(config)

    from ..core.facts import ApproveAsked
    from ..journal.views import Views
    from ..runtime.syncing import leave_request
    from ..runtime.wiring import journal_file

    chosen = next((each for each in checked.connection if each.name == connection), None)
    if chosen is None:
        names = ", ".join(each.name for each in checked.connection)
        raise AppError(f"there is no connection {connection}", hint=f"there are: {names}")
    views = Views(journal_file(checked))
    seen = views.status(runs=0, open_files=0)
    views.close()
    held = sorted({chosen.key_of(source) for source in chosen.source} & seen.needs_person)
    if not held:
        typer.echo(f"nothing of {connection} waits for approval")
        return
    for key in held:
        typer.echo(f"{key}: {seen.offline[key]}")
    typer.echo(
        "If you approve, what is on the drive now counts: files that are not there are reported as"
        " gone and kept in Storage and in the iModel; all others are compared anew."
    )
    if not yes:
        typer.confirm("Is that meant?", abort=True)
    running = leave_request(checked, ApproveAsked(connection))
    typer.echo("approved; " + ("the daemon goes on" if running else "the next start goes on"))
