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
    """One pass over an XML file that is held whole; its outermost node names the schema."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._schema = local_name(root)

    def elements(self) -> Iterator[SourceElement]:
        """Yield the elements of the tree, parents first, without recursion into depth."""
        waiting: list[tuple[Node, str, str | None]] = [(self._root, self._schema, None)]
        while waiting:
            node, identifier, parent = waiting.pop()
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
            waiting += reversed(list(_below(node, identifier)))


def _below(node: Node, parent: str) -> Iterator[tuple[Node, str, str]]:
    """Yield the elements below a node with their identifiers: the path of names.

    What only its order tells apart from others is called by what is in it besides, so that an
    edit below leaves its name; or else by a digest of its content.
    """
    below = [each for each in node if not _is_property(each)]
    names = [_name(each) for each in below]
    counts = Counter(names)
    firsts = [_first_within(e) if counts[n] > 1 else "" for e, n in zip(below, names, strict=True)]
    longer = [f"{name} with {first}" for name, first in zip(names, firsts, strict=True)]
    longer_counts = Counter(longer)
    for each, name, first, long in zip(below, names, firsts, longer, strict=True):
        if counts[name] == 1:
            yield each, f"{parent}/{name}", parent
        elif first and longer_counts[long] == 1:
            yield each, f"{parent}/{long}", parent
        else:
            yield each, f"{parent}/{name} {digest_of(content_of(each))}", parent


def _name(node: Node) -> str:
    """Return the name of a node's kind, with what identifies it."""
    return f"{local_name(node)} {_first(_properties(node), _IDENTITIES)}".rstrip()


def _first_within(node: Node) -> str:
    """Return the first name, by letters, of the nodes within that have an identity."""
    within = (each for each in node.iterdescendants() if not _is_property(each))
    names = ((local_name(each), _name(each)) for each in within)
    return min((name for kind, name in names if name != kind), default="")


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
