"""Runs worlds from the command line, in the folder `tests`.

`python -m simulation SEED` replays one with its transcript, `... seeds COUNT [FIRST]` runs many,
`... mutants` plants bugs and looks for the seeds that catch them.
"""

from __future__ import annotations

import sys

from . import hunt, simulate
from .world import World


def main(arguments: list[str]) -> int:
    match arguments:
        case ["mutants"]:
            return hunt.main()
        case ["seeds", seeds]:
            return simulate.main(0, int(seeds))
        case ["seeds", seeds, first]:
            return simulate.main(int(first), int(seeds))
        case [seed]:
            return replay(int(seed))
        case _:
            print(__doc__)
            return 2


def replay(seed: int) -> int:
    """Run one world and print what happened, whether it keeps its promises or not."""
    world = World(seed)
    try:
        world.run()
    finally:
        print("\n".join(world.transcript()))
    print(f"kept every promise; {world.crashes} crashes, {world.now_s:.0f} virtual seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
