"""The program that test_imodel_rows measures: a table of many rows goes through a job, twice.

Usage: python -m benchmarks.imodel_rows FOLDER ROWS. Prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

from localtwin.connectors import registry
from localtwin.connectors.source import Connector, Partition, SourceElement
from localtwin.imodel.database import create_imodel
from localtwin.imodel.report import JobOrder, JobReport, SourceOrder
from localtwin.world.synchronization.worker.job import run_job


class RowsConnector(Connector):
    """Reads lines of numbers: an element each, with properties as a table of equipment has."""

    name = "Rows"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceElement]:
        with file.open(encoding="ascii") as lines:
            for line in lines:
                number, flow = line.split()
                yield SourceElement(
                    identifier=number,
                    class_name="Table:Equipment",
                    partition=Partition.PHYSICAL,
                    label=f"Pump {number}",
                    properties={
                        "Tag": f"P-{number}",
                        "Flow": float(flow),
                        "Building": f"B{int(number) % 50}",
                        "Installed": True,
                        "Remark": "as built",
                    },
                )


def main(folder: Path, rows: int) -> None:
    """Measure reading alone, a first run, one in which a row differs, one in which all do."""
    registry.EXTENSIONS["ROWS"] = {"rows"}
    registry.READERS["rows"] = f"{RowsConnector.__module__}:RowsConnector"
    table = folder / "table.rows"
    create_imodel(folder / "model.imodel")
    figures: dict[str, float] = {}

    _write(table, range(rows), shift=0)
    began_s = perf_counter()
    for each in RowsConnector().read(table):
        each.checksum()
    figures["read_s"] = perf_counter() - began_s
    edits = {"first": (0, -1), "second": (0, rows // 2), "third": (2, -1)}
    for name, (shift, edited) in edits.items():
        _write(table, range(rows), shift=shift, edited=edited)
        began_s = perf_counter()
        report = _run(folder, table)
        figures[f"{name}_s"] = perf_counter() - began_s
        figures[f"{name}_bytes"] = report.changesets[0].size_bytes
        figures[f"{name}_changes"] = report.sources[0].inserted + report.sources[0].updated
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3
    print(json.dumps(figures))


def _write(table: Path, rows: Iterable[int], *, shift: int, edited: int = -1) -> None:
    with table.open("w", encoding="ascii") as out:
        out.writelines(f"{n} {n * 0.5 + shift + (n == edited)}\n" for n in rows)


def _run(folder: Path, table: Path) -> JobReport:
    source = SourceOrder("table", table.name, table, "ROWS")
    return run_job(JobOrder(folder / "model.imodel", folder / "changesets", (source,)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
