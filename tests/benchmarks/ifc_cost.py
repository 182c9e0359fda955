"""The program that test_ifc_cost measures: one large IFC model, step by step.

Usage: python -m benchmarks.ifc_cost STEP FOLDER PRODUCTS. Prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

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


STEPS = {each.__name__: each for each in (parse, scan, map_all, write, rename, shapes)}


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
    """Return processor time [s], own and of child processes, peak memory [MB], and the result."""
    began_s = process_time() + _children_s()
    result = work()
    took_s = process_time() + _children_s() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3
    number = float(result) if isinstance(result, int | float) else 0.0
    return {"took_s": took_s, "peak_mb": peak_mb, "result": number}


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))))
