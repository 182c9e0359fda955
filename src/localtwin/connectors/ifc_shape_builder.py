"""The program that builds shapes of IFC models; a process of its own, since some shapes crash it.

Each line of input is an order in JSON, `{"step": text of a small model, "decimals": places that
count, "plane": whether all is flat and straight, "items": {number of a product: [[key, placement],
...]}}`. Each is answered by one line for each key, `{"key", "low", "high", "outline"}`, then by an
empty object. A product that can't be built has no line; `{"problem"}` says that the library
stopped before the last one. A placement is a 3x4 matrix, row by row, or null for that of the model.
Usage: python -m localtwin.connectors.ifc_shape_builder
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import ifcopenshell
import ifcopenshell.geom
import numpy as np

from localtwin.connectors.mesh_plans import Numbers, box_of, plan_of
from localtwin.connectors.source import Outline

# A single shape that needs more is no shape of a building. Not on Windows.
MEMORY_BYTES_MAX = 4 << 30
# Ends a process that is stuck and whose reader has been killed, where nothing else does.
PROCESSOR_S_MAX = 3600
# The second is several times quicker, but approximates curves and leaves out what is cut off.
LIBRARY, QUICK_LIBRARY = "opencascade", "hybrid-cgal-simple-opencascade"
PR_SET_PDEATHSIG = 1  # of Linux, <sys/prctl.h>
CURVES_AND_SOLIDS = 2  # of the setting "dimensionality"


def main() -> None:
    """Answer every line of input."""
    _bound()
    _die_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints must not look like an answer
    settings = _settings()
    for line in sys.stdin:
        try:
            for each in _built(settings, json.loads(line)):
                print(json.dumps(each), file=answers, flush=True)
        except RuntimeError as exc:  # what the library raises, whatever it is
            print(json.dumps({"problem": str(exc)}), file=answers, flush=True)
        print("{}", file=answers, flush=True)


def _die_with_parent() -> None:
    """Have the system end this process with the one that reads it, even in the library's code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _bound() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not there on Windows)

    for limit, wanted in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, PROCESSOR_S_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        lowered = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(limit, (lowered, hard))


def _settings() -> Any:
    settings = ifcopenshell.geom.settings()
    settings.set("dimensionality", CURVES_AND_SOLIDS)
    settings.set("convert-back-units", True)
    settings.set("disable-opening-subtractions", True)
    settings.set("no-normals", True)
    settings.set("apply-default-materials", False)
    return settings


def _built(settings: Any, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    model = ifcopenshell.file.from_string(order["step"])
    library = QUICK_LIBRARY if order["plane"] else LIBRARY
    shapes = ifcopenshell.geom.iterator(settings, model, 1, geometry_library=library)
    if not shapes.initialize():
        return
    while True:
        shape = shapes.get()
        yield from _placed(shape, order["items"].get(str(shape.id), ()), order["decimals"])
        if not shapes.next():
            return


def _placed(shape: Any, items: Any, decimals: int) -> Iterator[dict[str, Any]]:
    """Yield box and plan of a shape in each of its places."""
    geometry = shape.geometry
    points = np.frombuffer(geometry.verts_buffer, float).reshape(-1, 3)
    triangles = np.frombuffer(geometry.faces_buffer, np.int32).reshape(-1, 3).astype(np.int64)
    edges = np.frombuffer(geometry.edges_buffer, np.int32).reshape(-1, 2).astype(np.int64)
    matrix = np.asarray(shape.transformation.matrix).reshape(4, 4).T
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    turned: dict[bytes, tuple[Numbers, Outline]] = {}
    for key, placement in items:
        place = np.eye(4)[:3] if placement is None else np.asarray(placement).reshape(3, 4)
        axes, origin = place[:, :3], place[:, 3]
        if axes.tobytes() not in turned:
            there = points @ axes.T
            turned[axes.tobytes()] = there, plan_of(there, triangles, edges, decimals)
        there, plan = turned[axes.tobytes()]
        box = box_of(there + origin, decimals)
        if box is not None:
            outline = [(np.asarray(line) + origin[:2]).round(decimals).tolist() for line in plan]
            yield {"key": key, "low": box.low, "high": box.high, "outline": outline}


if __name__ == "__main__":
    main()
