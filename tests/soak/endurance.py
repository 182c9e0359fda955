"""`cd tests && python -m soak.endurance --minutes 120`: let the daemon work, and watch it grow.

People save drawings all the while, one each second, and their edits are synced
by real runs of localtwin. Ends with 1 if memory, descriptors or threads grew too much, or if the
drive was not in the iModel at the end.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from system.drawings import drawing
from system.site import Site, open_site
from system.waiting import wait_until

from .footprint import Sample, complaints, look, write_picture, write_table

FILES: Final = 200
SAMPLES: Final = 600  # of a whole run, however long it is
PAUSE_S: Final = 1.0  # between two saves


def main() -> int:
    """Return 0 if nothing grew, and everything was synced at the end."""
    given = _parser().parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    people = random.Random(given.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, open_site(Path(folder)) as site:
        samples = live(site, people, given.minutes * 60.0)
    write_table(samples, given.out / "footprint.csv")
    write_picture(samples, given.out / "footprint.svg")
    found = complaints(samples)
    print(f"{len(samples)} samples of {given.minutes:g} min, seed {given.seed}: {given.out}")
    print("\n".join(found) or "nothing grew")
    return 1 if found else 0


def live(site: Site, people: random.Random, length_s: float, files: int = FILES) -> list[Sample]:
    """Save so many files again and again while the daemon runs; return what it held meanwhile."""
    for number in range(files):
        _save(site, people, number)
    samples: list[Sample] = []
    pause, began_s = threading.Event(), time.monotonic()
    every_s = max(length_s / SAMPLES, PAUSE_S)
    with site.daemon() as daemon:
        while (now_s := time.monotonic() - began_s) < length_s:
            _save(site, people, people.randrange(files))
            if now_s >= len(samples) * every_s:
                samples.append(look(daemon.pid, now_s))
            pause.wait(PAUSE_S)
        wait_until(lambda: site.is_synced(files), f"{files} files are synced")
    return samples


def _save(site: Site, people: random.Random, number: int) -> None:
    """Save a drawing anew, with another content."""
    site.save(f"room {number % 10}/plan {number}.dxf", drawing(people.randrange(1_000_000)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m soak.endurance")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--out", type=Path, default=Path("../.soak-long"))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
