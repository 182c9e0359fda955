"""`twinsyncd init`: asks what a first configuration needs, writes it, and checks it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from ..errors import AppError
from .check import run_check
from .init_answers import Answers
from .options import FILE, load_config
from .this_command import this_command

NEXT: Final = """\
What a sync would do:   {command} sync --dry-run --config {file}
Do it once:             {command} sync --config {file}
Keep doing it:          {command} run --config {file}
Run it as a service:    {service}
"""


def init(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The file to write; else /etc/twinsyncd/twinsyncd.toml for root, "
            "./twinsyncd.toml for others.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[  # text: Typer looks at a path by itself, and a share may hang
        list[str] | None, typer.Option(help="A folder to synchronize; repeatable.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Who signs in: service or user.")] = "",
    client_id: Annotated[str, typer.Option(help="The application's id in the portal.")] = "",
    client_secret_file: Annotated[
        Path | None,
        typer.Option(help="A file with the secret; else asked, or TWINSYNCD_AUTH__CLIENT_SECRET."),
    ] = None,
    itwin: Annotated[str, typer.Option(help="The iTwin's name or id.")] = "",
    imodel: Annotated[str, typer.Option(help="The iModel's name or id.")] = "",
    name: Annotated[str, typer.Option(help="The connection's name; else the iModel's.")] = "",
    connector: Annotated[
        list[str] | None,
        typer.Option(help="Of which program files are, like dgn=CIVIL; repeatable."),
    ] = None,
    api_url: Annotated[str, typer.Option(help="Another platform than the public cloud.")] = "",
    issuer_url: Annotated[str, typer.Option(help="Its sign-in service; else as api-url.")] = "",
    redirect_url: Annotated[str, typer.Option(help="For a person; as registered.")] = "",
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Ask nothing; fail if an answer is missing.")
    ] = False,
    check: Annotated[bool, typer.Option(help="Check the new configuration.")] = True,
) -> None:
    """Write a first configuration: asks for folder, sign-in, iTwin and iModel, then checks it.

    A file that exists is never overwritten. Exit code as of `check`.
    """
    target = _new_file(file)
    answers = Answers(
        target,
        ask=not unattended and sys.stdin.isatty(),
        folders=tuple(map(Path, folder or ())),
        kind=kind,
        client_id=client_id,
        secret_file=client_secret_file,
        itwin=itwin,
        imodel=imodel,
        name=name,
        connectors=_connectors(connector or []),
        api_url=api_url,
        issuer_url=issuer_url,
        redirect_url=redirect_url,
    )
    _write(target, answers.draft().text(target))
    typer.echo(f"written: {target}\n")
    raise typer.Exit(_finish(target, check=check))


def _finish(target: Path, *, check: bool) -> int:
    """Check the new configuration and print the next commands; return the exit code."""
    good = run_check(load_config(target)) if check else True
    command = this_command()
    typer.echo("\n" + NEXT.format(file=target, command=command, service=_as_service(target)))
    return 0 if good else 1


def _as_service(target: Path) -> str:
    """Return what makes a service of it: that reads its configuration in the system's folder."""
    from ..config import system_folder

    if sys.platform == "win32":
        return "twinsyncd manual install"
    command = f"sudo {this_command()} service install"
    place = system_folder() / FILE
    if target == place:
        return command
    return f"sudo install -D -m 0644 {shlex.quote(str(target))} {place} && {command}"


def _new_file(given: Path | None) -> Path:
    target = (given or _usual_file()).expanduser().absolute()
    if target.exists():
        hint = "name another file, or change that one; then run: twinsyncd check"
        raise AppError(f"{target} exists and is not overwritten", hint=hint)
    return target


def _usual_file() -> Path:
    from ..config import system_folder

    is_root = sys.platform != "win32" and os.geteuid() == 0
    return (system_folder() if is_root else Path.cwd()) / FILE


def _connectors(given: list[str]) -> dict[str, str]:
    """Return the connector of each ending. Raises AppError for what cannot be read so."""
    from ..connectors import connectors_for

    chosen: dict[str, str] = {}
    for text in given:
        ending, _, connector = text.partition("=")
        ending = "." + ending.lower().lstrip("*.")
        readers = connectors_for(f"x{ending}")
        if connector.upper() not in readers:
            possible = ", ".join(readers) or "none"
            message = f"{ending} files are not read by {connector or 'nothing'}"
            raise AppError(message, hint=f"possible are: {possible}; write dgn=CIVIL")
        chosen[ending] = connector.upper()
    return chosen


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:  # never over one that came meanwhile
            opened.write(text)
    except OSError as exc:
        hint = "name a file in a folder of yours, or run it with sudo"
        raise AppError(f"{file} cannot be written: {exc.strerror}", hint=hint) from exc
