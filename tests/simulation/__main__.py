"""Replay one seed with its transcript: `cd tests && python -m simulation SEED`."""

from __future__ import annotations

import sys

from .world import World


def main() -> None:
    world = World(int(sys.argv[1]))
    try:
        world.run()
    finally:
        print("\n".join(world.transcript()))
    print(f"kept every promise; {world.crashes} crashes, {world.now_s:.0f} virtual seconds")


main()
