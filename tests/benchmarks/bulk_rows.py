"""Delivers an export of pieces to a service that takes everything, in a process of its own.

`python bulk_rows.py FILE JOURNAL` prints requests, the peak of memory, and processor time as JSON:
of parsing the file, of its rows' digests, of sending (encoding and remembering), of the comparison
(all else), and what the last two are to the first two. The service takes the records in this
process, so there is neither a network nor a server.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from twinsyncd.cloud.bulk_api import Counts
from twinsyncd.core.model import FileKey, SourceKey
from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.journal.export_rows import ExportRows
from twinsyncd.targets.bulk.delivery import Delivery
from twinsyncd.targets.bulk.mapping import RowMapping, RowReader
from twinsyncd.targets.bulk.rivals import Rivals
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

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def upsert(self, entity: str, records: Sequence[Mapping[str, Any]]) -> Counts:
        """Take the records."""
        cpu = time.process_time()
        json.dumps({entity: records}).encode()
        self.cpu_s += time.process_time() - cpu
        return Counts(len(records), 0)


class TimedRecords(DeliveredRecords):
    """Measures what it takes to remember what was sent."""

    cpu_s = 0.0

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember it."""
        cpu = time.process_time()
        super().put(connection, entity, taken)
        self.cpu_s += time.process_time() - cpu

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget it."""
        cpu = time.process_time()
        super().doubt(connection, entity, guids)
        self.cpu_s += time.process_time() - cpu


def _peak_kb() -> int:
    """Return the peak of this program alone: `ru_maxrss` begins with that of who started it.

    Source: proc_pid_status(5) and getrusage(2), read 2026-11.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = status.read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def main(file: Path, journal: Path) -> None:
    """Deliver the file and print the figures."""
    table = Table(file, file.suffix, MAPPING.wanted())
    for _ in table.batches():  # imports what reads tables
        break
    cpu = time.process_time()
    for _ in table.batches():
        pass
    parse_s = time.process_time() - cpu
    cpu = time.process_time()
    for batch in table.batches():
        batch.digests(MAPPING.salt())
    digest_s = time.process_time() - cpu - parse_s

    engine = open_database(journal)
    begun, cpu = time.perf_counter(), time.process_time()
    sink, delivered = Sink(), TimedRecords(engine)
    key = FileKey(SourceKey("Factory/exports"), file.name)
    rivals = Rivals("Factory", MAPPING.entity, key, ExportRows(engine), lambda _key: nullcontext())
    reader = RowReader(MAPPING)
    summary = Delivery("Factory", reader, table, delivered, sink, rivals=rivals).deliver()
    took_s = time.perf_counter() - begun
    cpu_s = time.process_time() - cpu
    engine.dispose()
    peak_mb = _peak_kb() / 1024
    send_s = sink.cpu_s + delivered.cpu_s
    figures = {
        "rows": summary.rows,
        "changed": summary.changed,
        "requests": summary.requests,
        "rejected": summary.rejected_count,
        "parse_cpu_s": round(parse_s, 2),
        "digest_cpu_s": round(digest_s, 2),
        "compare_cpu_s": round(cpu_s - parse_s - digest_s - send_s, 2),
        "send_cpu_s": round(send_s, 2),
        "cpu_s": round(cpu_s, 2),
        "ratio": round((cpu_s - parse_s - digest_s) / (parse_s + digest_s), 2),
        "took_s": round(took_s, 1),
        "peak_mb": round(peak_mb),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
