"""Reports whether the installed service is enabled and runs, as systemd sees it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ...cloud.access_check import CheckResult
from ...config import Config, system_folder
from ..service_account import UNIT, unit_settings
from ..state import is_running

BOOTED: Final = Path("/run/systemd/system")  # exists on machines that systemd started
ANSWER_S: Final = 5.0


def service_results(config: Config) -> Iterator[CheckResult]:
    """Yield how the service stands; nothing where none is installed, or not by systemd."""
    if BOOTED.is_dir() and unit_settings():
        yield service_result(_ask, running=is_running(config))


def service_result(ask: Callable[[str], str], *, running: bool) -> CheckResult:
    """Return whether the service is enabled and active; `ask` asks systemctl one question.

    `running`: a daemon keeps the journal of the configuration that is examined.
    """
    enabled, active = ask("is-enabled"), ask("is-active")
    step, found = "run as a service", f"{enabled or 'unknown'}, {active or 'unknown'}"
    if active not in {"active", "activating"}:
        fix = f"run: sudo systemctl enable --now {UNIT}   (why it ended: journalctl -u {UNIT})"
        return CheckResult(step, True, f"it is installed, but {found}", fix)
    if enabled != "enabled":
        fix = f"run: sudo systemctl enable {UNIT}"
        return CheckResult(step, True, f"it runs, but is {enabled}: not after a restart", fix)
    if not running and active == "active":
        fix = f"name its configuration: twinsyncd check --config {system_folder()}/twinsyncd.toml"
        return CheckResult(step, True, "the service runs with another configuration", fix)
    return CheckResult(step, True, found)


def _ask(question: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [program, question, UNIT], capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
