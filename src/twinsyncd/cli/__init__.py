"""The command line: one file per command; heavy rooms are imported when a command runs."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Final

from .. import __version__

OBJECTS_BETWEEN_LOOKS: Final = 50_000  # of the search for garbage, which has 700 by default


def main() -> None:
    """Run the command that the arguments name; the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A pipe on Windows has a code page, which lacks signs of ours and letters of file names.
        sys.stdout.reconfigure(errors="replace")
    if sys.argv[1:] == ["--version"]:  # asked by every deployment tool, so it must be quick
        sys.stdout.write(f"twinsyncd {__version__}\n")
        return
    # Nobody needs pydantic's plugins here, and looking for them reads the list of all packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What is imported stays; looking for garbage in it takes an eighth of a short command.
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
    from .app import run_app

    sys.exit(run_app())
