"""Reports whether the installed service is enabled and runs, as systemd or Windows sees it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ...cloud.access_check import CheckResult
from ...config import Config, system_folder
from ..pywin32_service import NAME
from ..service_account import UNIT, unit_settings
from ..state import is_running

BOOTED: Final = Path("/run/systemd/system")  # exists on machines that systemd started
ANSWER_S: Final = 5.0


def service_results(config: Config) -> Iterator[CheckResult]:
    """Yield how the service stands; nothing where none is installed."""
    if state := _state_on_windows():
        yield windows_result(state, running=is_running(config))
    if BOOTED.is_dir() and unit_settings():
        yield service_result(_ask, running=is_running(config))


def windows_result(state: str, *, running: bool) -> CheckResult:
    """Return whether the service of Windows works for the configuration that is examined."""
    step = "run as a service"
    if state not in {"running", "starting"}:
        fix = f"as administrator: sc start {NAME}   (why it ended: event viewer, Application)"
        return CheckResult(step, True, f"it is installed, but {state}", fix)
    if state == "running" and not running:
        return _with_another_configuration(step)
    return CheckResult(step, True, state)


def _state_on_windows() -> str:
    if sys.platform != "win32":
        return ""
    else:  # noqa: RET505 - mypy skips what is below an else, and not what follows
        try:
            from ..pywin32_service import WindowsServices  # noqa: PLC0415 - of an extra
        except ImportError:
            return ""  # so there is no service either
        return WindowsServices(NAME).state()


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
        return _with_another_configuration(step)
    return CheckResult(step, True, found)


def _with_another_configuration(step: str) -> CheckResult:
    fix = f"name its configuration: twinsyncd check --config {system_folder() / 'twinsyncd.toml'}"
    return CheckResult(step, True, "the service runs with another configuration", fix)


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
