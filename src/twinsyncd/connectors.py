"""Which connectors can read which file names; pure data.

Sources: Synchronization API, "Create storage connection" (accepted values) and "Supported
formats"; iTwin/itwin-cli extension table; the Synchronization course's sample table, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KNOWN_CONNECTORS: Final[frozenset[str]] = frozenset(
    {
        "AUTOPLANT",
        "CIVIL",
        "CIVIL3D",
        "DACQJSON",
        "DWG",
        "GEOSPATIAL",
        "IFC",
        "INTELLIPID",
        "MSTN",
        "NWD",
        "OBD",
        "OPENTOWER",
        "PROSTRUCTURES",
        "PSEXCEL",
        "REVIT",
        "SPPID",
        "SPXREVIEW",
    }
)
"""What the service accepts today."""

RETIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "AVEVADIAGRAMS": (".vsd",),
    "AVEVAPID": (".dwg",),
    "SHELLEDWCSV": (".csv",),
}
"""Connectors of older documents that the service refuses now, and the names that they read."""

READS: Final[Mapping[str, str]] = {
    "AUTOPLANT": "AutoPLANT Modeler",
    "CIVIL": "OpenRoads, OpenBridge, OpenRail, OpenSite",
    "CIVIL3D": "Civil 3D",
    "DACQJSON": "JSON of data acquisition; its names are not documented, so include must name them",
    "DWG": "AutoCAD",
    "GEOSPATIAL": "geographic features",
    "IFC": "IFC models of any program",
    "INTELLIPID": "piping and instrumentation diagrams as JSON",
    "MSTN": "MicroStation, and models of many other programs",
    "NWD": "Navisworks",
    "OBD": "OpenBuildings Designer",
    "OPENTOWER": "OpenTower",
    "PROSTRUCTURES": "ProStructures",
    "PSEXCEL": "tables of process plants",
    "REVIT": "Revit",
    "SPPID": "Smart P&ID",
    "SPXREVIEW": "SmartPlant Review",
}
"""The programs whose files each connector reads, in words."""

_MSTN: Final = ("MSTN",)
_GEOSPATIAL: Final = ("GEOSPATIAL",)

MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    ".dgn": ("MSTN", "CIVIL", "OBD", "PROSTRUCTURES"),
    ".i.dgn": _MSTN,
    ".dwg": ("DWG", "AUTOPLANT", "CIVIL3D", "MSTN"),
    ".dxf": ("DWG",),
    ".ifc": ("IFC",),
    ".ifczip": ("IFC",),
    ".rvt": ("REVIT",),
    ".nwd": ("NWD",),
    ".nwc": ("NWD",),
    ".otxml": ("OPENTOWER",),
    ".vue": ("SPXREVIEW",),
    **dict.fromkeys((".kml", ".shp", ".geojson", ".geodb"), _GEOSPATIAL),
    **dict.fromkeys((".3dm", ".3ds", ".skp", ".dae", ".fbx", ".hln", ".igs", ".jt"), _MSTN),
    **dict.fromkeys((".land.xml", ".obj", ".sat", ".stl", ".stp", ".x_t"), _MSTN),
}
"""Names that are models in any folder; the default connector comes first.

The extension is the same for OpenRoads, OpenBuildings, ProStructures and plain designs, so every
source may name its connector.
"""

ON_REQUEST: Final[Mapping[str, tuple[str, ...]]] = {
    ".zip": ("SPPID",),
    ".pid": ("SPPID",),
    ".xml": ("OPENTOWER",),
    ".json": ("INTELLIPID",),
    ".csv": ("PSEXCEL",),
    ".xls": ("PSEXCEL",),
    ".xlsx": ("PSEXCEL",),
    ".shp.xml": _GEOSPATIAL,
}
"""Names that are more often something else: used only where a configuration names them."""

EXTENSIONS: Final[Mapping[str, tuple[str, ...]]] = {**MODELS, **ON_REQUEST}


def connectors_for(name: str) -> tuple[str, ...]:
    """Return the connectors that can read a file of this name, the default first; maybe none.

    The longest extension decides, so `land.xml` and `i.dgn` come before `xml` and `dgn`.
    """
    base = name.replace("\\", "/").rpartition("/")[2].lower()
    two_part = "." + ".".join(base.split(".")[-2:])
    last = "." + base.rpartition(".")[2] if "." in base else ""
    if base.count(".") > 1 and two_part in EXTENSIONS:
        return EXTENSIONS[two_part]
    return EXTENSIONS.get(last, ())
