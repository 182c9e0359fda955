"""The process that takes design files apart for their references: `python -m` this module.

Each line of its input is a JSON object with `file` (to open) and `name`; each is answered by a line
with `found` (pairs of kind and path) or `trouble`. A file that crashes it, or makes it eat the
machine's memory, ends this process alone.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from .dgn_references import UnreadableDesignFileError
from .reference_scan import references_in

MEMORY_MAX_BYTES: Final = 4 * 1024**3


def main() -> None:
    """Answer until the input ends."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not there on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, object] = {"found": references_in(asked["file"], asked["name"])}
        except UnreadableDesignFileError as exc:
            answer = {"trouble": str(exc)}
        except Exception as exc:  # noqa: BLE001 - any library may raise anything; it is answered
            answer = {"trouble": f"{type(exc).__name__}: {exc}"}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
