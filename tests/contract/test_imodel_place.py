# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Where the iModel lies on Earth: the first file with coordinates decides, so the order matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract_office import Office
from test_main_path import drawing

from localtwin.imodel.geolocation import coordinate_system_of
from twinsyncd.core.results import Outcome

HOUSE = (Path(__file__).parents[1] / "localtwin" / "models" / "house.ifc").read_bytes()
AMERSFOORT, WORLD = "EPSG:28992", "EPSG:4326"


def wells() -> bytes:
    """A map of one well; GeoJSON is always in longitude and latitude."""
    point = {"type": "Point", "coordinates": [5.39, 52.16]}
    feature = {"type": "Feature", "id": 1, "geometry": point, "properties": {"name": "W1"}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def system_of(raw: httpx.Client, office: Office) -> Any:
    """Return the id of the iModel's coordinate system, None if it has none."""
    imodel = raw.get(f"/imodels/{office.imodel_id}").json()["iModel"]
    return (imodel["geographicCoordinateSystem"] or {}).get("horizontalCRSId")


def test_a_file_without_coordinates_places_the_imodel_nowhere(
    office: Office, raw: httpx.Client
) -> None:
    """A drawing knows only its own origin."""
    office.store("plan.dxf", drawing(1))

    assert office.run().outcome is Outcome.SUCCEEDED

    assert system_of(raw, office) is None


def test_the_first_file_with_coordinates_places_the_imodel(
    office: Office, raw: httpx.Client
) -> None:
    """Alone in the first run the root decides; whatever comes later does not move the iModel."""
    office.store("house.ifc", HOUSE)
    assert office.run().outcome is Outcome.SUCCEEDED
    first = system_of(raw, office)
    office.store("a wells.geojson", wells())
    assert office.run().outcome is Outcome.SUCCEEDED

    assert (first, system_of(raw, office)) == (AMERSFOORT, AMERSFOORT)


def test_of_the_files_of_one_run_the_first_source_file_counts(
    office: Office, raw: httpx.Client
) -> None:
    """So the spatial root is also the first of its batch."""
    office.store("wells.geojson", wells())
    office.store("house.ifc", HOUSE)

    assert office.run().outcome is Outcome.SUCCEEDED

    assert system_of(raw, office) == WORLD


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (None, ""),
        ({}, ""),
        ({"coordinate_system": {"id": "EPSG:2056"}}, "EPSG:2056"),
        ({"coordinate_system": {"name": "local"}}, ""),
        ({"coordinate_system": "EPSG:2056"}, ""),
        ({"CoordinateOperations": [{"TargetCRS": {"Name": "CH1903+"}}]}, ""),
        ({"CoordinateOperations": [{}, {"TargetCRS": {"Name": "EPSG:2056"}}]}, "EPSG:2056"),
        ({"CoordinateOperations": "EPSG:2056"}, ""),
    ],
)
def test_only_a_registered_system_counts(properties: Any, expected: str) -> None:
    """A name that two people read differently is no place."""
    assert coordinate_system_of(properties) == expected
