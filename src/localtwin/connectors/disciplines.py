"""Connector types whose files are CAD files with the data of one discipline inside.

The hosted platform reads that data; here such files are read as what they are besides: drawings.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from localtwin.connectors.source import Connector, SourceItem

DISCIPLINES = {
    "AUTOPLANT": "pipe specifications and components of AutoPLANT",
    "AVEVAPID": "items and lines of AVEVA P&ID",
    "CIVIL": "alignments, corridors and surfaces of OpenRoads, OpenRail and OpenSite",
    "CIVIL3D": "alignments, corridors and surfaces of Civil 3D",
    "OBD": "building components of OpenBuildings",
    "PROSTRUCTURES": "members and connections of ProStructures",
}


class DisciplineConnector(Connector):
    """Reads as `plain` does, and reports what the discipline would have had besides."""

    def __init__(self, plain: Connector, connector_type: str) -> None:
        self._plain = plain
        self._connector_type = connector_type

    @property
    def name(self) -> str:
        """The name of the connector that does the reading."""
        return self._plain.name

    @property
    def version(self) -> str:
        """The edition of the connector that does the reading."""
        return self._plain.version

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield what the plain connector yields."""
        return self._plain.read(file)

    def remarks(self) -> Sequence[str]:
        """Return the plain connector's remarks, after what is special about the discipline."""
        content = DISCIPLINES[self._connector_type]
        sentence = (
            f"Read as a plain CAD file: {content} are kept as the lines and texts that show them,"
            " and as raw data where they are objects of their own."
            f" The hosted {self._connector_type} connector reads their data."
        )
        return (sentence, *self._plain.remarks())
