"""A builder of shapes for tests: what an item is called decides what building it does.

A box is as wide as its order has shapes.
"""

from __future__ import annotations

import json
import os
import sys
import threading


def main() -> None:
    for line in sys.stdin:
        orders = json.loads(line)["items"]
        for items in orders.values():
            for key, _ in items:
                if key.startswith("crash"):
                    os.abort()
                if key.startswith("hang"):
                    threading.Event().wait()
                if key.startswith("problem"):
                    print(json.dumps({"problem": "stopped"}), flush=True)
                    break
                if key.startswith("none"):
                    continue
                box = {"low": [0, 0, 0], "high": [len(orders), 1, 1], "outline": []}
                print(json.dumps({"key": key, **box}), flush=True)
            else:
                continue
            break
        print("{}", flush=True)


if __name__ == "__main__":
    main()
