"""The connector follows from the type asked for and the file's name, or an error says why not."""

import pytest

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import ConnectorError


@pytest.mark.parametrize(
    ("connector_type", "name", "expected"),
    [
        ("IFC", "a.ifc", "IFC"),
        ("IFC", "A.IFC", "IFC"),
        ("IFC", "a.b.ifczip", "IFC"),
        ("DWG", "a.dxf", "DXF"),
        ("dwg", "a.dxf", "DXF"),
        ("MSTN", "a.dxf", "DXF"),
        ("PSEXCEL", "a.xlsx", "Tables"),
        ("INTELLIPID", "a.json", "Tables"),
        ("GEOSPATIAL", "a.b.SHP", "Geospatial"),
        ("GEOSPATIAL", "zones.shp.xml", "XML"),
        ("MSTN", "road.land.xml", "XML"),
        ("MSTN", "hall.i.dgn", "CAD"),
        ("OPENTOWER", "mast.otxml", "XML"),
    ],
)
def test_a_file_finds_its_reader(connector_type: str, name: str, expected: str) -> None:
    """Names come from Windows drives: case must not matter."""
    assert connector_for(connector_type, name).name == expected


@pytest.mark.parametrize(
    ("connector_type", "name", "code", "advice", "can_user_fix"),
    [
        ("IFC", "a.dxf", "ConnectorMismatch", "DWG", True),
        ("REVIT", "a.dgn", "ConnectorMismatch", "MSTN", True),
        ("MSTN", "a.csv", "ConnectorMismatch", "PSEXCEL", True),
        ("MSTN", "a.docx", "ConnectorMismatch", "No connector", True),
        ("DWG", "noextension", "ConnectorMismatch", "No connector", True),
        ("REVIT", "a.rvt", "ConnectorUnavailable", "hosted", False),
        ("NOSUCH", "a.ifc", "ConnectorUnavailable", "hosted", False),
    ],
)
def test_a_file_without_a_reader_says_what_to_do(
    connector_type: str, name: str, code: str, advice: str, can_user_fix: bool
) -> None:
    """A wrong mapping is the user's to mend; a missing reader is not."""
    with pytest.raises(ConnectorError) as caught:
        connector_for(connector_type, name)

    error = caught.value
    assert (error.code, error.can_user_fix) == (code, can_user_fix)
    assert advice in error.description
    assert name in str(error)
