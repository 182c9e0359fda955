"""Elements are exported for programs that know nothing of iModels."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from imodel_sources import Model, element

from localtwin.connectors.source import Extent, Json
from localtwin.imodel.contents import elements
from localtwin.imodel.database import opened
from localtwin.imodel.export import PROPERTY_COLUMNS_MAX, write_csv, write_geojson

LINE = ((0.0, 0.0), (4.0, 3.0))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def geojson(model: Model) -> list[Any]:
    out = io.StringIO()
    with opened(model.file) as database:
        written = write_geojson(elements(database), out)
    collection = json.loads(out.getvalue())
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == written
    return list(collection["features"])


def rows(model: Model, **choice: str) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    with opened(model.file) as database:
        written = write_csv(lambda: elements(database, **choice), out)
    found = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert len(found) == written
    return found


def test_a_feature_has_geometry_identity_and_properties(model: Model) -> None:
    """A GIS shows it and answers a click."""
    model.sync(element("p"), element("a", parent="p", outline=[LINE], label="Süd", Pset={"x": 1}))

    plain, feature = geojson(model)

    assert plain["geometry"] is None
    assert feature["geometry"] == {"type": "MultiLineString", "coordinates": [[[0, 0], [4, 3]]]}
    assert feature["properties"] == {
        "source": "one",
        "identifier": "a",
        "class": "Test:Beam",
        "model": "BisCore:PhysicalModel",
        "parent": "p",
        "label": "Süd",
        "Pset.x": 1,
    }


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        ((0, 0, 0), (2, 1, 0), "Polygon"),
        ((0, 0, 0), (2, 0, 5), "LineString"),
        ((1, 1, 0), (1, 1, 9), "Point"),
    ],
)
def test_without_an_outline_the_extent_is_the_geometry(
    model: Model,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    kind: str,
) -> None:
    """A polygon without an area is refused by many programs."""
    model.sync(element("a", extent=Extent(low, high)))

    assert geojson(model)[0]["geometry"]["type"] == kind


def test_numbers_that_json_does_not_have_are_texts(model: Model) -> None:
    """One NaN would make the whole file unreadable."""
    model.sync(element("a", size=float("nan"), sizes=[float("inf"), 1.0]))

    properties = geojson(model)[0]["properties"]

    assert (properties["size"], properties["sizes"]) == ("nan", ["inf", 1.0])


def test_an_empty_imodel_is_an_empty_collection(model: Model) -> None:
    """It must be valid all the same."""
    model.sync()

    assert geojson(model) == []
    assert rows(model) == []


def test_a_row_has_a_cell_for_each_property(model: Model) -> None:
    """A spreadsheet sorts and filters by columns."""
    model.sync(
        element("a", label='Has "quotes", and\nlines', width=0.3, tags=["x", "y"]),
        element("b", Pset={"Span": 8}, extent=Extent((0, 0, 0), (1, 2, 3))),
    )

    first, second = rows(model)

    assert first["label"] == 'Has "quotes", and\nlines'
    assert (first["width"], first["tags"], first["Pset.Span"]) == ("0.3", '["x", "y"]', "")
    assert (second["Pset.Span"], second["max_z"], second["width"]) == ("8", "3.0", "")


def test_properties_without_end_share_the_last_column(model: Model) -> None:
    """Some sources have a property for each day."""
    days: dict[str, Json] = {f"day {n:04}": n for n in range(PROPERTY_COLUMNS_MAX + 2)}
    model.sync(replace(element("a"), properties=days))

    (row,) = rows(model)

    assert len(row) == PROPERTY_COLUMNS_MAX + 16
    assert sorted(json.loads(row["other_properties"]).values()) == [
        PROPERTY_COLUMNS_MAX,
        PROPERTY_COLUMNS_MAX + 1,
    ]


def test_one_class_or_one_source_can_be_exported_alone(model: Model) -> None:
    """A list of doors is wanted, not of everything."""
    model.sync(element("a"), element("b", class_name="Test:Door"), name="one")
    model.sync(element("c", class_name="Test:Door"), name="two")

    assert [row["identifier"] for row in rows(model, class_name="Test:Door")] == ["b", "c"]
    assert [row["identifier"] for row in rows(model, source="one")] == ["a", "b"]
