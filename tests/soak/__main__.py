"""`cd tests && python -m soak --rounds 200`: kill for many rounds, prove, print one table."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .acts import Program
from .judge import Violation
from .proxy import LOSING_ANSWERS
from .soak import Soak, TimeIsUp, open_soak
from .tally import Tally

PROMISES = {
    "lost": "a file is not equal at rest",
    "torn": "content that no file ever had whole",
    "superfluous": "run or upload of nothing new",
    "double": "two runs of ours at once",
    "disturbed": "Storage changed under our run",
    "leaked": "a secret in the log or the state",
    "rushed": "far too many requests at once",
}


def main() -> int:
    """Return 0 when nothing was lost, torn, superfluous or double; else keep what there is."""
    given = _parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"seed {given.seed}, {given.rounds} rounds, in {folder}", flush=True)
    began_s, trouble = time.monotonic(), ""
    signal.signal(signal.SIGTERM, _end)
    with open_soak(folder, given.seed, given.minutes * 60) as soak:
        try:
            soak.run(given.rounds, _report)
        except TimeIsUp:
            trouble = f"the soak did not end within {given.minutes} minutes"
    took_s = time.monotonic() - began_s
    print("\n".join(f"{name:<44}{value:>10}" for name, value in _figures(soak, took_s)))
    for line in _complaints(soak.tally.violations):
        print(line)
    if trouble or soak.tally.violations or given.keep:
        print(f"{trouble}\nkept in {folder}: daemon.log, localtwin.log, state/journal.sqlite")
        print(f"again: make soak ROUNDS={given.rounds} SEED={given.seed}")
        return 1 if trouble or soak.tally.violations else 0
    shutil.rmtree(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=200)
    add("--seed", type=int, default=secrets.randbelow(1_000_000))
    add("--minutes", type=float, default=60.0, help="give up after so long")
    add("--keep", action="store_true", help="keep the folder in any case")
    return parser


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _report(tally: Tally) -> None:
    if tally.rests % 5 == 0:
        print(f"round {tally.rounds}, {len(tally.violations)} violations", flush=True)


def _figures(soak: Soak, took_s: float) -> Iterator[tuple[str, object]]:
    """Yield the lines of the table."""
    tally, proxy = soak.tally, soak.proxy
    yield "rounds", tally.rounds
    yield "files", tally.files
    yield "changes of content", soak.drive.changes
    yield "touches without a change", soak.drive.touched
    yield "uploads", tally.uploads
    yield "runs of ours", tally.runs
    yield "runs of somebody else", tally.foreign
    yield "kills of the daemon", tally.kills[Program.DAEMON]
    yield "kills of localtwin", tally.kills[Program.LOCALTWIN]
    for moment, number in sorted(tally.moments.items()):
        yield f"  of these at: {moment}", number
    yield "answers dropped", sum(proxy.done[fault] for fault in LOSING_ANSWERS)
    yield "other network faults", sum(proxy.done.values()) - len(proxy.lost_s)
    yield "drives away for a moment", tally.outages
    yield "files renamed", soak.drive.renamed
    yield "harm that strangers did in the cloud", tally.harm
    yield "older journals put back", tally.rewinds
    yield "rests, all compared", tally.rests
    yield "longest way to rest [s]", f"{tally.longest_rest_s:.1f}"
    yield "requests", len(proxy.overheard.asked_s)
    yield "requests in the busiest 10 s", tally.busiest
    yield "secrets looked for", len(proxy.overheard.secrets) + 1
    yield "idle runs after a lost answer", tally.excused
    yield "time [s]", f"{took_s:.0f}"
    yield "load", f"{os.getloadavg()[0]:.1f}"
    for kind, meaning in PROMISES.items():
        yield f"{kind}: {meaning}", tally.count(kind)


def _complaints(violations: list[Violation]) -> Iterator[str]:
    for violation in violations:
        yield f"{violation.kind}: {violation.about}: {violation.detail}"


if __name__ == "__main__":
    sys.exit(main())
