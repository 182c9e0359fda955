"""Any XML as a tree of elements: OpenTower models and metadata of shapefiles.

A node with an identity, or with nodes below, is an element; a node with a text is a property.
"""

from collections import Counter
from collections.abc import Iterator

from localtwin.connectors.polylines import extent_of_points
from localtwin.connectors.source import Extent, Json, Partition, SourceElement
from localtwin.connectors.table_columns import meaning_of_text
from localtwin.connectors.xml_nodes import (
    Node,
    attributes_of,
    content_of,
    digest_of,
    local_name,
    text_of,
)

_IDENTITIES = ("guid", "uuid", "uniqueid", "elementid", "id", "key", "tag", "name", "label")
_LABELS = ("name", "label", "title", "description")


class XmlTree:
    """One pass over an XML file that is held whole; `schema` names the classes of its elements."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._schema = local_name(root)
        self._repeats: Counter[tuple[str, str]] = Counter()

    def elements(self) -> Iterator[SourceElement]:
        """Yield the elements of the tree, parents first, without recursion into depth."""
        waiting: list[tuple[Node, str | None]] = [(self._root, None)]
        while waiting:
            node, parent = waiting.pop()
            below = [each for each in node if not _is_property(each)]
            names = Counter(local_name(each) for each in below)
            identifier = self._identifier(node, parent, names_beside=self._repeats)
            properties = _properties(node)
            yield SourceElement(
                identifier=identifier,
                class_name=f"{self._schema}:{local_name(node)}",
                partition=Partition.PHYSICAL,
                label=_first(properties, _LABELS),
                code=_first(properties, _IDENTITIES),
                parent=parent,
                properties=properties,
                extent=_extent(properties),
            )
            for each in below:
                self._repeats[(identifier, local_name(each))] = names[local_name(each)]
            waiting += [(each, identifier) for each in reversed(below)]

    def _identifier(
        self, node: Node, parent: str | None, names_beside: Counter[tuple[str, str]]
    ) -> str:
        """Return a node's place by names; what only its order tells apart is its content."""
        name = local_name(node)
        if parent is None:
            return name
        if own := _first(_properties(node), _IDENTITIES):
            return f"{parent}/{name} {own}"
        is_repeated = names_beside[(parent, name)] > 1
        return (
            f"{parent}/{name} {digest_of(content_of(node))}" if is_repeated else f"{parent}/{name}"
        )


def _is_property(node: Node) -> bool:
    return len(node) == 0 and not node.attrib


def _properties(node: Node) -> dict[str, Json]:
    values = attributes_of(node)
    for each in node:
        if _is_property(each) and (value := meaning_of_text(text_of(each))) is not None:
            name = local_name(each)
            values[name] = [*_listed(values[name]), value] if name in values else value
    if (value := meaning_of_text(text_of(node))) is not None:
        values["text"] = value
    return values


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _first(properties: dict[str, Json], wanted: tuple[str, ...]) -> str:
    found = {name.lower(): value for name, value in properties.items()}
    return next((str(found[name]) for name in wanted if isinstance(found.get(name), str | int)), "")


def _extent(properties: dict[str, Json]) -> Extent | None:
    found = {name.lower(): value for name, value in properties.items()}
    x, y, z = (found.get(axis) for axis in "xyz")
    if not isinstance(x, int | float) or not isinstance(y, int | float):
        return None
    return extent_of_points([(float(x), float(y), float(z) if isinstance(z, int | float) else 0.0)])
