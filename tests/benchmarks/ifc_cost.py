"""The program that test_ifc_cost measures: one large IFC model, step by step.

Usage: python -m benchmarks.ifc_cost STEP FOLDER PRODUCTS. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time

import ifcopenshell

from localtwin.connectors.ifc import IfcConnector
from localtwin.connectors.ifc_step import read_step
from localtwin.connectors.source import HeldShapes, SourceElement
from localtwin.imodel.changeset import recording, write_changeset
from localtwin.imodel.database import create_imodel, opened, transaction
from localtwin.imodel.memory import load_memory, save_memory
from localtwin.imodel.synchronizer import Origin, Synchronizer
from localtwin.imodel.tally import Tally

from .ifc_models import write_model

LOOK_S = 0.2  # between two looks at memory; each takes some milliseconds


class NothingHeld(HeldShapes):
    """An iModel without any shape."""

    def has_extent(
        self, identifier: str, shape: str, placement: tuple[float, ...] | None
    ) -> bool | None:
        return None


def parse(folder: Path, _: int) -> dict[str, float]:
    """Open the model with the library that others read IFC with."""
    return timed(lambda: ifcopenshell.open(folder / "model.ifc"))


def scan(folder: Path, _: int) -> dict[str, float]:
    """Read the instances as text, the first part of mapping."""
    return timed(lambda: read_step(folder / "model.ifc"))


def map_all(folder: Path, _: int) -> dict[str, float]:
    """Turn the model into elements with checksums, and into relationships."""
    return timed(lambda: sum(map(_digested, IfcConnector().read(folder / "model.ifc"))))


def write(folder: Path, _: int) -> dict[str, float]:
    """Map the model and write all of it into an empty iModel, with its changeset."""
    create_imodel(folder / "model.imodel")
    return timed(lambda: _synchronized(folder))


def rename(folder: Path, products: int) -> dict[str, float]:
    """Map the model again, of which one object has another name, and write that."""
    write_model(folder / "model.ifc", products, renamed=products // 2)
    return timed(lambda: _synchronized(folder))


def revalue(folder: Path, products: int) -> dict[str, float]:
    """Map the model again, of which one object has other quantities, and write that."""
    half = products // 2
    write_model(folder / "model.ifc", products, renamed=half, revalued=half + 1)
    return timed(lambda: _synchronized(folder))


def shapes(folder: Path, _: int) -> dict[str, float]:
    """Map the model and build its shapes, in processes whose time counts."""
    connector = IfcConnector()
    connector.build_shapes(NothingHeld())
    return timed(
        lambda: sum(
            isinstance(each, SourceElement) and each.extent is not None
            for each in connector.read(folder / "model.ifc")
        )
    )


STEPS = {each.__name__: each for each in (parse, scan, map_all, write, rename, revalue, shapes)}


def _digested(item: object) -> int:
    return len(item.checksum()) if isinstance(item, SourceElement) else 0


def _synchronized(folder: Path) -> float:
    """Return how many elements were written."""
    connector = IfcConnector()
    with opened(folder / "model.imodel") as base, transaction(base), recording(base) as recorded:
        origin = Origin("model", "model.ifc", "IFC", "bench", "digest")
        connector.resume(load_memory(base, "model", "bench"))
        items = connector.read(folder / "model.ifc")
        tally: Tally = Synchronizer(base, recorded.flush).bridge(origin, items)
        save_memory(base, "model", "bench", connector.memory())
        write_changeset(recorded, folder, "")
    return tally.elements.inserted + tally.elements.updated


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return elapsed and processor time [s], peak memory [MB], and the result.

    Processor time and memory are those of child processes, too; what they share counts once.
    """
    peak = _Peak()
    began_s, began_cpu_s = monotonic(), process_time() + _children_s()
    result = work()
    took_s = monotonic() - began_s
    cpu_s = process_time() + _children_s() - began_cpu_s
    number = float(result) if isinstance(result, int | float) else 0.0
    return {"took_s": took_s, "cpu_s": cpu_s, "peak_mb": peak.stop(), "result": number}


class _Peak:
    """The most memory that this process and its children had together."""

    def __init__(self) -> None:
        self._most_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return it [MB]; no less than what this process had alone at any moment."""
        self._ended.set()
        self._thread.join()
        return max(self._most_mb, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3)

    def _look(self) -> None:
        me = os.getpid()
        while not self._ended.wait(LOOK_S):
            children = Path(f"/proc/{me}/task/{me}/children").read_text("ascii").split()
            self._most_mb = max(self._most_mb, sum(map(_share_mb, [str(me), *children])))


def _share_mb(process: str) -> float:
    """Return the memory of a process, of shared pages its part; 0 if it has ended."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0.0
    found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1.024e-3 if found else 0.0


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))))
