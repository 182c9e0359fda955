"""`python -m localtwin`: serve in the foreground until stopped."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from localtwin.api.fault_injection import HEADERS, NO_HEADERS
from localtwin.errors import SetupError
from localtwin.faults import kinds_text, parse
from localtwin.serve import Ready, Settings, serve
from localtwin.world.access.roles import split_permissions


def main(arguments: list[str] | None = None) -> int:
    """Return 0 after a clean stop, 2 when the server could not start."""
    given = _parser().parse_args(arguments)
    try:
        serve(_settings(given), _announce)
    except KeyboardInterrupt:  # before the server took over the signal
        return 0
    except SetupError as problem:
        print(f"localtwin: {problem}", file=sys.stderr)  # noqa: T201 (the command's own output)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="localtwin",
        description=__doc__,
        epilog=f"kinds of faults, with the value each has by default:\n{kinds_text()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of everything it keeps")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="default: the last one, or a free one")
    add("--workers", type=int, default=2, help="runs carried out in parallel")
    add(
        "--fault",
        action="append",
        default=[],
        help="KIND[=VALUE][@PATH][xTIMES], repeatable; kinds: below",
    )
    add("--admin", action="store_true", help="serve /localtwin/faults, to switch faults by HTTP")
    add("--requests-per-minute", type=_count, help="answer 429 above; default: no limit")
    ways = "how ordinary answers report what is left of that; default: not at all"
    add("--rate-headers", choices=HEADERS, default=NO_HEADERS, help=ways)
    add("--permissions", help="what the client in the iTwin may do, by commas; default: everything")
    snapshot = "the bulk API deletes what a request leaves out, as its service really does"
    add("--bulk-snapshot", action="store_true", help=snapshot)
    add("--expose", action="store_true", help="let other machines reach it; needs a certificate")
    add("--certificate", type=Path, help="PEM file")
    add("--private-key", type=Path, help="PEM file")
    return parser


def _count(text: str) -> int:
    """Return a number of at least 1. Raises ArgumentTypeError."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number


def _settings(given: argparse.Namespace) -> Settings:
    return Settings(
        data=given.data,
        host=given.host,
        port=given.port,
        workers=given.workers,
        faults=tuple(parse(text) for text in given.fault),
        admin_routes=given.admin,
        requests_per_minute=given.requests_per_minute,
        rate_headers=given.rate_headers,
        permissions=None if given.permissions is None else split_permissions(given.permissions),
        bulk_snapshot=given.bulk_snapshot,
        expose=given.expose,
        certificate=given.certificate,
        private_key=given.private_key,
    )


def _announce(ready: Ready) -> None:
    line = {"event": "ready", "api_url": ready.api_url, "data": str(ready.data)}
    print(json.dumps(line), flush=True)  # noqa: T201 (the command's own output)


if __name__ == "__main__":
    sys.exit(main())
