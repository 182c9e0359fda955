"""One machine of many iModels, which does nothing but keep its leases; measured from outside."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from twinsyncd.core.model import LaneKey
from twinsyncd.journal.lease_book import LeaseBook
from twinsyncd.journal.location import Server
from twinsyncd.runtime.lease_keeper import LeaseKeeper


def main() -> None:
    """Keep a share until the file that is named exists; print what it costs.

    Arguments: address, schema, name, number of iModels, seconds to measure, that file.
    """
    url, schema, name, number, seconds, balanced = sys.argv[1:]
    lanes = [LaneKey(f"imodel-{each:05d}") for each in range(int(number))]
    book = LeaseBook(Server(url, schema), name, name, is_standby=False)
    keeper = LeaseKeeper(book, lanes)
    keeper.start()
    while not Path(balanced).exists():
        keeper.next_share()  # what others wish for is handed over
        time.sleep(0.2)
    began_s = time.process_time()
    time.sleep(float(seconds))
    print("cost", time.process_time() - began_s, flush=True)
    time.sleep(2.0)  # the others measure still
    keeper.close()


if __name__ == "__main__":
    main()
