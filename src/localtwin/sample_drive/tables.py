"""The tables and the map of the sample drive."""

import csv
import json
from pathlib import Path
from typing import TypeAlias

LONGITUDE, LATITUDE = 4.8952, 52.3702  # of the bridge's first axis
DEGREES_PER_METRE = 9e-6  # near enough for a map that nobody builds by

Place: TypeAlias = tuple[float, float]


def bearings(_: str, file: Path) -> None:
    """Write the schedule of bearings, one for each column of the steel."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["Tag", "Column", "Type", "Load [kN]", "Installed"])
        for number in range(1, 11):
            kind = "fixed" if number in (5, 6) else "sliding"
            rows.writerow(
                [f"BR-{number:02}", f"Column C-{number:02}", kind, 400 + 25 * number, "no"]
            )


def plots_and_pipes(title: str, file: Path) -> None:
    """Write a map of the plots along the road and the pipes below it."""
    plots = [
        _feature(f"plot-{number}", "Polygon", [_ring(-40.0 + 20 * number, 10.0, 20.0, 30.0)])
        | {"properties": {"kind": "plot", "number": f"A {1200 + number}", "area_m2": 600}}
        for number in range(6)
    ]
    pipes = [
        _feature(f"pipe-{name}", "LineString", [_place(x, y) for x in (-40.0, 20.0, 80.0)])
        | {"properties": {"kind": "pipe", "medium": name, "diameter_mm": diameter}}
        for name, y, diameter in (("water", -5.0, 200), ("gas", -6.0, 110), ("sewer", 5.5, 400))
    ]
    text = json.dumps({"type": "FeatureCollection", "name": title, "features": plots + pipes})
    file.write_text(text + "\n", "utf-8")


def _feature(identifier: str, kind: str, places: object) -> dict[str, object]:
    geometry = {"type": kind, "coordinates": places}
    return {"type": "Feature", "id": identifier, "geometry": geometry}


def _ring(x: float, y: float, width: float, depth: float) -> list[Place]:
    corners = [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth), (x, y)]
    return [_place(*corner) for corner in corners]


def _place(x: float, y: float) -> Place:
    """Return the longitude and latitude of a point given in metres."""
    longitude = LONGITUDE + x * DEGREES_PER_METRE / 0.61  # the cosine of the latitude
    return round(longitude, 7), round(LATITUDE + y * DEGREES_PER_METRE, 7)
