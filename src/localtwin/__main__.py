"""`python -m localtwin`: serve in the foreground until told to stop."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from localtwin.errors import SetupError
from localtwin.serve import Ready, Settings, serve


def main(arguments: list[str] | None = None) -> int:
    """Return 0 after a clean stop, 2 when the server could not start."""
    parser = argparse.ArgumentParser(prog="localtwin", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of everything it keeps")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: the last one, or a free one")
    parser.add_argument("--workers", type=int, default=2, help="runs carried out in parallel")
    given = parser.parse_args(arguments)
    settings = Settings(given.data, given.host, given.port, given.workers)
    try:
        serve(settings, _announce)
    except SetupError as problem:
        print(f"localtwin: {problem}", file=sys.stderr)  # noqa: T201 (the command's own output)
        return 2
    return 0


def _announce(ready: Ready) -> None:
    line = {"event": "ready", "api_url": ready.api_url, "data": str(ready.data)}
    print(json.dumps(line), flush=True)  # noqa: T201 (the command's own output)


if __name__ == "__main__":
    sys.exit(main())
