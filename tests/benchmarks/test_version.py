"""How long a person or a deployment tool waits for the version."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from system.programs import TWINSYNCD, environment

from .figures import Stopwatch, say

pytestmark = pytest.mark.bench

TARGET_S: Final = 0.2
TIMES: Final = 10


def test_the_version_is_said_at_once() -> None:
    """Tools ask for it on every machine; it must not load the whole house."""
    ours = _fastest([*TWINSYNCD, "--version"])
    bare = _fastest([sys.executable, "-c", "pass"])

    say(
        "twinsyncd --version",
        f"{ours * 1000:.0f} ms",
        f"<= {TARGET_S * 1000:.0f} ms",
        f"{ours / bare:.1f} x an empty Python program ({bare * 1000:.0f} ms)",
        is_met=ours <= TARGET_S,
    )


def _fastest(command: list[str]) -> float:
    watch = Stopwatch()
    for _ in range(TIMES):
        with watch.timing():
            subprocess.run(command, check=True, capture_output=True, env=environment())
    return watch.took_s
