"""Delivers an export of pieces to a service that takes everything, in a process of its own.

`python bulk_rows.py FILE JOURNAL` prints requests, the peak of memory, and processor time: of
reading the file alone, of the whole delivery, and what the second is to the first, as JSON. The
service takes the records in this process, so the figures are those of reading, comparing,
checking, encoding and remembering, without a network and a server.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinsyncd.cloud.bulk_api import Counts
from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.targets.bulk.delivery import Delivery
from twinsyncd.targets.bulk.mapping import RowMapping, RowReader
from twinsyncd.targets.bulk.tables import Table

COMPANY = "0a1b2c3d-1111-4222-8333-444455556666"
MAPPING = RowMapping(
    "pieces",
    COMPANY,
    {"piece_id": "part", "outer_length": "length", "barcode": "barcode"},
    {
        "guid": ("project", "part"),
        "project_guid": ("project",),
        "component_guid": ("project", "component"),
    },
)


class Sink:
    """Encodes what it gets, as the real client does, and counts it as new."""

    def upsert(self, entity: str, records: Sequence[Mapping[str, Any]]) -> Counts:
        """Take the records."""
        json.dumps({entity: records}).encode()
        return Counts(len(records), 0)


def main(file: Path, journal: Path) -> None:
    """Deliver the file and print the figures."""
    table = Table(file, file.suffix, MAPPING.wanted())
    for _ in table.batches():  # imports what reads tables
        break
    cpu = time.process_time()
    for _ in table.batches():
        pass
    reading_cpu_s = time.process_time() - cpu

    engine = open_database(journal)
    begun, cpu = time.perf_counter(), time.process_time()
    delivery = Delivery("Factory", RowReader(MAPPING), table, DeliveredRecords(engine), Sink())
    summary = delivery.deliver()
    took_s = time.perf_counter() - begun
    cpu_s = time.process_time() - cpu
    engine.dispose()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "rows": summary.rows,
        "changed": summary.changed,
        "requests": summary.requests,
        "rejected": summary.rejected_count,
        "reading_cpu_s": round(reading_cpu_s, 2),
        "cpu_s": round(cpu_s, 2),
        "ratio": round(cpu_s / reading_cpu_s, 1),
        "took_s": round(took_s, 1),
        "peak_mb": round(peak_mb),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
