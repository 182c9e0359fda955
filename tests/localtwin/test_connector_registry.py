"""The connector follows from the type asked for and the file's name, or an error says why not."""

from pathlib import Path

import ezdgn
import ezdwg
import pytest

from localtwin.connectors.disciplines import DISCIPLINES
from localtwin.connectors.registry import EXTENSIONS, connector_for
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
        ("REVIT", "a.rvt", "Documents"),
        ("SPPID", "a.zip", "Documents"),
        ("CIVIL", "a.dgn", "CAD"),
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
        ("MSTN", "a.skp", "ConnectorUnavailable", "hosted", False),
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


@pytest.mark.parametrize("connector_type", DISCIPLINES)
def test_a_discipline_says_that_its_data_is_read_as_plain_cad(
    tmp_path: Path, connector_type: str
) -> None:
    """A green run must not pass for one that read alignments or pipes."""
    (extension,) = {"dwg", "dgn"} & EXTENSIONS[connector_type]
    file = tmp_path / f"a.{extension}"
    if extension == "dwg":
        drawing = ezdwg.new()
        drawing.modelspace().add_line((0, 0, 0), (4, 2, 0))
        drawing.save(file)
    else:
        ezdgn.new().saveas(file)
    connector = connector_for(connector_type, file.name)

    list(connector.read(file))

    assert "plain CAD" in connector.remarks()[0]
    assert connector_type in connector.remarks()[0]


def test_every_documented_extension_has_a_connector_type_that_takes_it() -> None:
    """A file that twinsyncd sends must not be refused as a mistake of its sender."""
    taken = {extension for extensions in EXTENSIONS.values() for extension in extensions}

    documented = (
        "3dm 3ds csv dae dgn dwg dxf fbx geodb geojson hln i.dgn ifc igs json jt kml land.xml nwc"
        " nwd obj otxml pid rvt sat shp shp.xml skp stl stp vsd vue x_t xls xlsx xml zip"
    )
    assert set(documented.split()) - taken == set()
