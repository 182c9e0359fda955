"""The connector for XML: LandXML by its own rules, OpenTower and all other XML as a tree."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from localtwin.connectors.landxml import LandXml
from localtwin.connectors.landxml_places import LandPlaces
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Connector, SourceElement, unreadable
from localtwin.connectors.xml_nodes import local_name, read_nodes
from localtwin.connectors.xml_tree import XmlTree

TREE_BYTES_MAX = 512 << 20  # a tree takes about ten times the size of its file


class XmlConnector(Connector):
    """Reads XML by what its outermost node is called."""

    name = "XML"
    version = "2"

    def __init__(self) -> None:
        self._remarks: Sequence[str] = ()
        self._target = ""

    def place_in(self, coordinate_system: str) -> None:
        """Have `read` place the items of LandXML in that system, if it is a projected one."""
        self._target = coordinate_system

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield the elements of the file; raises ConnectorError on unsafe or broken XML."""
        self._remarks = ()
        events = read_nodes(file)
        event, root = next(events)
        if local_name(root) == "LandXML":
            land = LandXml(LandPlaces(self._target))
            yield from land.elements(chain([(event, root)], events))
            self._remarks = tuple(land.remarks())
            return
        if file.stat().st_size > TREE_BYTES_MAX:
            raise unreadable("The XML file is larger than 512 MiB.", code="FileTooLarge")
        for _ in events:
            pass  # builds the tree below the root
        count = 0
        for count, element in enumerate(XmlTree(root).elements(), 1):  # noqa: B007 - said below
            yield element
        nodes = counted(count, "node")
        self._remarks = (
            f"{nodes} of <{local_name(root)}> read as a tree: content is compared, not drawn.",
        )

    def remarks(self) -> Sequence[str]:
        """Return what was reduced or left out."""
        return self._remarks
