"""`twinsyncd check`: can it work as configured? Each step with what was found and the fix."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..errors import ConfigError
from .console import open_console
from .markup import plain
from .options import ConfigOption, find_config, load_config

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime.setup_check import CheckResult

MARKS: Final = {"ok": "[green]ok[/]  ", "warning": "[yellow]warn[/]", "failed": "[red]FAIL[/]"}


def check(
    config: ConfigOption = None,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the cloud out.")] = False,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Also try out the platform, in a scratch folder of Storage."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    own_account: Annotated[
        bool,
        typer.Option(
            "--own-account", help="As root: do not examine as the account of the service."
        ),
    ] = False,
) -> None:
    """Check configuration, account, state folder, drives and platform; changes nothing.

    With --probe it writes into a scratch folder of Storage, which it deletes again.
    Run by root for the service's configuration, it examines as the service's account.
    Exit code 0 if all can work, 1 if something fails, 2 if the configuration cannot be used.
    """
    file = (config or find_config()).expanduser().absolute()
    if not own_account and (code := _as_service(file, offline, probe, as_json)) >= 0:
        raise typer.Exit(code)
    try:
        checked = load_config(file)
    except ConfigError as error:
        if not as_json:
            raise
        mistakes = [asdict(mistake) for mistake in error.mistakes]
        typer.echo(json.dumps({"good": False, "mistakes": mistakes, "results": []}, indent=2))
        raise typer.Exit(2) from error
    from ..logs import set_up

    set_up(checked.daemon.log_format, sys.stderr, "critical")  # what it finds is the report
    steps = partial(_steps, checked, offline, probe, file)
    good = _report_json(steps) if as_json else _report(checked, steps)
    raise typer.Exit(0 if good else 1)


def run_check(config: Config, *, offline: bool = False) -> bool:
    """Print the results of all steps; return whether everything can work."""
    return _report(config, partial(_steps, config, offline, False))


def _report(config: Config, steps: Callable[[], Iterator[CheckResult]]) -> bool:
    console = open_console()
    names = ", ".join(connection.name for connection in config.connection)
    console.print(f"{MARKS['ok']}  configuration: {plain(names)}", soft_wrap=True)
    counts = dict.fromkeys(MARKS, 0)

    for result in steps():
        counts[result.level] += 1
        mark, found = MARKS[result.level], f"{plain(result.step)}: {plain(result.found)}"
        console.print(f"{mark}  {found}", soft_wrap=True)
        if result.fix:
            console.print(f"      fix: {plain(result.fix)}", soft_wrap=True)

    console.print(_summary(counts), soft_wrap=True)
    return not counts["failed"]


def _summary(counts: dict[str, int]) -> str:
    from ..runtime.formatting import count

    if counts["failed"]:
        return f"\n[red]{count(counts['failed'], 'step')} failed[/]: correct it as said above"
    if counts["warning"]:
        return f"\n[green]it can work[/]; see the {count(counts['warning'], 'warning')} above"
    return "\n[green]all is well[/]"


def _report_json(steps: Callable[[], Iterator[CheckResult]]) -> bool:
    results: list[dict[str, Any]] = []

    for result in steps():
        values = {"topic": result.topic, "level": result.level, "step": result.step}
        results.append({**values, "found": result.found, "fix": result.fix})

    good = all(each["level"] != "failed" for each in results)
    typer.echo(json.dumps({"good": good, "mistakes": [], "results": results}, indent=2))
    return good


def _steps(
    config: Config, offline: bool, probe: bool, file: Path | None = None
) -> Iterator[CheckResult]:
    """Yield the steps; the fix of one that failed says where in the file its key stands."""
    from ..config.named_lines import lines_about
    from ..runtime.setup_check import findings

    for result in findings(config, offline=offline, probe=probe):
        lines: tuple[int, ...] = ()
        if file is not None and not result.good:
            lines = lines_about(file, f"{result.step} {result.found}", result.fix)
        places = ", ".join(f"{file}:{line}" for line in lines)
        yield replace(result, fix=f"{result.fix} ({places})") if places else result


def _as_service(file: Path, offline: bool, probe: bool, as_json: bool) -> int:
    """Return the exit code of the same check run as the service's account; -1 if there is none."""
    from ..runtime.service_account import run_as_service

    chosen = {"--offline": offline, "--probe": probe, "--json": as_json}
    options = [option for option, wanted in chosen.items() if wanted]
    return run_as_service(file, ["check", "--own-account", "--config", str(file), *options])
