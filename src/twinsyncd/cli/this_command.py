"""How the command that runs now is written by whoever types the next one."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "twinsyncd"


def this_command() -> str:
    """Return "twinsyncd" if the shell finds this installation so, else its path."""
    program = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if found is not None and Path(found).resolve() == program.resolve():
        return NAME
    if not program.exists():
        return f"{shlex.quote(sys.executable)} -m {NAME}"
    near = os.path.relpath(program)
    return shlex.quote(str(program) if near.startswith("..") else near)
