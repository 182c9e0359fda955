"""`twinsyncd verify`: drive, Storage, source files, tasks and changesets, file by file."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .completion import names_and_paths
from .markup import plain
from .options import ConfigOption, load_config
from .retry import find_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ..config import Config
    from ..runtime.verification import Selection
    from ..runtime.verified_file import VerifiedFile


FULL_MAX: Final = 5  # files that are shown with every step; of more, those not current


def verify(
    what: Annotated[
        str | None,
        typer.Argument(
            help="A connection, file or folder; left out: everything.",
            autocompletion=names_and_paths,
        ),
    ] = None,
    *,
    config: ConfigOption = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every file, on the drive and in Storage.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Prove that the iModel has what is on the drive, file by file; changes nothing.

    Exit code 0 only if every file is current, and there are any.
    """
    from ..logs import set_up
    from ..runtime.verification import verify as verify_files
    from ..runtime.verified_file import Verdict

    checked = load_config(config)
    set_up(checked.daemon.log_format, sys.stderr, "critical")
    files = list(verify_files(checked, _selection(checked, what), deep=deep))
    if as_json:
        typer.echo(json.dumps([asdict(file) for file in files], indent=2))
    elif as_csv:
        _write_csv(files)
    else:
        show(files)
    good = all(file.verdict in (Verdict.CURRENT, Verdict.KEPT) for file in files)
    raise typer.Exit(0 if good and files else 1)


def _selection(config: Config, what: str | None) -> Selection:
    from ..runtime.verification import Selection

    if what is None:
        return Selection()
    if any(connection.name == what for connection in config.connection):
        return Selection(connection=what)
    return Selection(keys=tuple(find_keys(config, what)))


def _write_csv(files: Sequence[VerifiedFile]) -> None:
    from dataclasses import fields

    from ..runtime.verified_file import VerifiedFile

    writer = csv.DictWriter(sys.stdout, [each.name for each in fields(VerifiedFile)])
    writer.writeheader()
    writer.writerows(asdict(file) for file in files)


def show(files: Sequence[VerifiedFile]) -> None:
    """Print a file and its steps after the other; of many, the steps of those not current."""
    from rich.console import Console

    from ..runtime.verified_file import Verdict

    console = Console(highlight=False)
    styles = {
        Verdict.CURRENT: "green",
        Verdict.KEPT: "default",
        Verdict.NOT_CURRENT: "red",
        Verdict.UNKNOWN: "yellow",
    }
    brief = len(files) > FULL_MAX
    for file in files:
        style, name = styles[file.verdict], plain(_name(file))
        root = "  (spatial root: it decides where the iModel lies)" if file.spatial_root else ""
        console.print(f"[{style}]{file.verdict.value:11}[/]  {name}{root}", soft_wrap=True)
        if not brief or file.verdict is not Verdict.CURRENT or file.next_step:
            _show_steps(console, file)
    _show_total(console, files)
    if brief:
        console.print("name a file, or a connection with few, to see the steps of current ones")


def _name(file: VerifiedFile) -> str:
    """Return what is verified; without a path it is a whole source that could not be read."""
    return f"{file.source}/{file.path}" if file.path else f"{file.source} (the whole source)"


def _show_steps(console: Console, file: VerifiedFile) -> None:
    for step, text in (
        ("drive", file.drive),
        ("records", file.records),
        ("Storage", file.storage),
        ("source file", file.source_file),
        ("run", file.run),
        ("changeset", file.changeset),
        ("next", file.next_step),
    ):
        if text:
            console.print(f"    {step:11}  {plain(text)}", soft_wrap=True)


def _show_total(console: Console, files: Sequence[VerifiedFile]) -> None:
    from ..runtime.formatting import count

    totals = Counter(file.verdict.value for file in files)
    words = ", ".join(f"{found:,} {verdict}" for verdict, found in sorted(totals.items()))
    unread = sum(not file.path for file in files)
    number = count(len(files) - unread, "file")
    if unread:
        number += f" and {count(unread, 'whole source')}"
    none = "no such file is on the drive or in the journal; see why: twinsyncd explain PATH"
    console.print(f"\n{number}: {words}" if files else none, soft_wrap=True)
