"""Runs one step of a measured program in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def measured(program: str, step: str, folder: Path, count: int) -> dict[str, float]:
    """Return what `python -m benchmarks.PROGRAM STEP FOLDER COUNT` prints."""
    command = [sys.executable, "-m", f"benchmarks.{program}", step, str(folder), str(count)]
    path = os.pathsep.join([str(_TESTS), *filter(None, sys.path)])
    done = subprocess.run(
        command, capture_output=True, check=True, env=os.environ | {"PYTHONPATH": path}
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
