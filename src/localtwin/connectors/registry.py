"""Which connector reads which file: by the connector type asked for and the name's extension."""

import importlib
from importlib.util import find_spec
from pathlib import PurePath
from typing import cast

from localtwin.connectors.disciplines import DISCIPLINES, DisciplineConnector
from localtwin.connectors.geospatial_files import SIDECARS
from localtwin.connectors.source import Connector, ConnectorError

# Module and class by extension; imported when first needed, since the readers are heavy to load.
READERS = {
    "ifc": "localtwin.connectors.ifc:IfcConnector",
    "ifczip": "localtwin.connectors.ifc:IfcZipConnector",
    "dxf": "localtwin.connectors.dxf:DxfConnector",
    "dwg": "localtwin.connectors.cad:CadConnector",
    "dgn": "localtwin.connectors.cad:CadConnector",
    "csv": "localtwin.connectors.tables_csv:CsvConnector",
    "xls": "localtwin.connectors.tables_excel:ExcelConnector",
    "xlsx": "localtwin.connectors.tables_excel:ExcelConnector",
    "json": "localtwin.connectors.tables_json:JsonConnector",
    "shp": "localtwin.connectors.geospatial:ShapefileConnector",
    "geojson": "localtwin.connectors.geospatial:GeoJsonConnector",
    "kml": "localtwin.connectors.geospatial:KmlConnector",
    "gpkg": "localtwin.connectors.geospatial:GeoPackageConnector",
    "geodb": "localtwin.connectors.geospatial:GeodatabaseConnector",
    "xml": "localtwin.connectors.xml_files:XmlConnector",
    "land.xml": "localtwin.connectors.xml_files:XmlConnector",
    "shp.xml": "localtwin.connectors.xml_files:XmlConnector",
    "otxml": "localtwin.connectors.xml_files:XmlConnector",
    "i.dgn": "localtwin.connectors.cad:CadConnector",
    "rvt": "localtwin.connectors.documents:RevitConnector",
    "nwd": "localtwin.connectors.documents:NavisworksConnector",
    "nwc": "localtwin.connectors.documents:NavisworksConnector",
    "zip": "localtwin.connectors.documents:SmartPlantArchiveConnector",
    "pid": "localtwin.connectors.documents:SmartPlantConnector",
    "vue": "localtwin.connectors.documents:ReviewConnector",
    "vsd": "localtwin.connectors.documents:VisioConnector",
}

# Libraries that a reader needs and that may not be installed.
LIBRARIES = {"dwg": "cadkit", "dgn": "cadkit", "i.dgn": "cadkit"}

# Extensions of the files beside a file that belong to it, under its name.
COMPANIONS = {"shp": SIDECARS}

# Extensions that each connector type takes.
# Source: Synchronization documentation, "Supported formats", and the public CLI's mapping.
EXTENSIONS = {
    "AUTOPLANT": {"dwg"},
    "AVEVADIAGRAMS": {"vsd"},
    "AVEVAPID": {"dwg"},
    "CIVIL": {"dgn", "i.dgn"},
    "CIVIL3D": {"dwg"},
    "DACQJSON": {"json"},
    "DWG": {"dwg", "dxf"},
    "GEOSPATIAL": {"kml", "shp", "geojson", "geodb", "gpkg", "shp.xml", "xml"},
    "IFC": {"ifc", "ifczip"},
    "INTELLIPID": {"json"},
    "MSTN": set(
        "dgn i.dgn dwg dxf 3dm 3ds skp dae fbx hln igs jt land.xml xml obj sat stl stp x_t".split()  # noqa: SIM905 - a list of words reads better as words
    ),
    "NWD": {"nwd", "nwc"},
    "OBD": {"dgn", "i.dgn"},
    "OPENTOWER": {"otxml", "xml"},
    "PROSTRUCTURES": {"dgn", "i.dgn"},
    "PSEXCEL": {"csv", "xls", "xlsx"},
    "REVIT": {"rvt"},
    "SHELLEDWCSV": {"csv"},
    "SPPID": {"zip", "pid"},
    "SPXREVIEW": {"vue"},
}


def connector_for(connector_type: str, name: str) -> Connector:
    """Return the connector for a file called `name`; raises ConnectorError if there is none."""
    extension = extension_of(name)
    kind = connector_type.upper()
    if kind in EXTENSIONS and extension not in EXTENSIONS[kind]:
        raise _mismatch(kind, name, extension)
    if kind not in EXTENSIONS or not _is_readable(extension):
        raise _unavailable(kind, name)
    module, _, attribute = READERS[extension].partition(":")
    found = cast("Connector", getattr(importlib.import_module(module), attribute)())
    return DisciplineConnector(found, kind) if kind in DISCIPLINES else found


def extension_of(name: str) -> str:
    """Return the extension in lower case; two parts where that is a format, as "land.xml"."""
    parts = PurePath(name).name.lower().split(".")
    two = ".".join(parts[-2:])
    return two if len(parts) > 2 and two in READERS else ("" if len(parts) < 2 else parts[-1])


def _is_readable(extension: str) -> bool:
    library = LIBRARIES.get(extension)
    return extension in READERS and (library is None or find_spec(library) is not None)


def _mismatch(kind: str, name: str, extension: str) -> ConnectorError:
    fits = sorted(kind for kind, extensions in EXTENSIONS.items() if extension in extensions)
    advice = f"Use one of {', '.join(fits)}." if fits else "No connector reads such files."
    return ConnectorError(
        code="ConnectorMismatch",
        message=f"The {kind} connector doesn't read {name}.",
        description=f"{advice} Change the connector of this source file.",
        category="configuration",
        can_user_fix=True,
    )


def _unavailable(kind: str, name: str) -> ConnectorError:
    return ConnectorError(
        code="ConnectorUnavailable",
        message=f"The local platform has no {kind} connector that reads {name}.",
        description=(
            f"Locally read formats: {', '.join(sorted(filter(_is_readable, READERS)))}. "
            "The file can be synchronized on the hosted platform."
        ),
        category="unsupported_format",
        can_user_fix=False,
    )
