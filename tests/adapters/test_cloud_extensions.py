"""Which connectors read which names."""

from __future__ import annotations

import pytest

from twinsyncd.connectors import EXTENSIONS, KNOWN_CONNECTORS, MODELS, connectors_for


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("Bridge.DGN", "MSTN"),
        ("plans/Bridge.dwg", "DWG"),
        ("plans\\a.b.dxf", "DWG"),
        ("model.i.dgn", "MSTN"),
        ("House.IFCZIP", "IFC"),
        ("road.land.xml", "MSTN"),
        ("land.xml", "OPENTOWER"),
        ("zones.shp.xml", "GEOSPATIAL"),
        ("list.xlsx", "PSEXCEL"),
    ],
)
def test_the_longest_extension_names_the_default(name: str, default: str) -> None:
    """A LandXML file is not a tower, whatever its last three letters say."""
    assert connectors_for(name)[0] == default


@pytest.mark.parametrize("name", ["", "noext", "letter.docx", "dgn", "archive.dgn/readme", "a."])
def test_other_names_have_no_connector(name: str) -> None:
    """A guess would be accepted by the service and fail only in the run."""
    assert connectors_for(name) == ()


def test_a_design_can_be_read_by_several() -> None:
    """The extension cannot tell OpenRoads from MicroStation; the configuration can."""
    assert connectors_for("x.dgn") == ("MSTN", "CIVIL", "OBD", "PROSTRUCTURES")


def test_only_connectors_that_the_service_accepts_are_listed() -> None:
    """An outdated name would refuse a whole connection."""
    assert {name for names in EXTENSIONS.values() for name in names} <= KNOWN_CONNECTORS


def test_everyday_files_are_not_taken_for_models() -> None:
    """A first start on an office drive must not upload every spreadsheet and archive."""
    assert [name for name in (".zip", ".xml", ".json", ".csv", ".xlsx") if name in MODELS] == []
