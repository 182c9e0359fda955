"""Extents and outlines of IFC products: the iModel has them, or they are built while it reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_shape_models import Placement, Shape, ShapeModels
from localtwin.connectors.ifc_shape_process import ShapeProcesses
from localtwin.connectors.ifc_shape_results import NOT_REACHED
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Drawn, Extent, HeldShapes, Outline

NOT_BUILT_BEFORE = "could not be built by an earlier run, and did not change since"
NAMES_MAX = 3


class Drawing(NamedTuple):
    """Box and plan of a product."""

    extent: Extent | None = None
    outline: Outline = ()
    drawn: Drawn = Drawn.UNKNOWN


@dataclass(frozen=True, slots=True)
class ShapedProduct:
    """A product with a shape; `number` and `placed` are its number and its placement's.

    `digest` and `placement` decide whether it must be built again; `representations` are numbers.
    """

    number: str
    identifier: str
    digest: str
    placement: Placement | None
    placed: str
    representations: tuple[str, ...]


class Geometry:
    """The shapes of one model; those that the iModel lacks are built by other processes."""

    def __init__(
        self, content: Content, products: Iterable[ShapedProduct], held: HeldShapes
    ) -> None:
        self._held: dict[str, bool] = {}
        shapes: dict[tuple[str, str], Shape] = {}
        for each in products:
            known = held.has_extent(each.identifier, each.digest, each.placement)
            if known is None:
                _add(shapes, each)
            else:
                self._held[each.number] = known
        self._built = {number for shape in shapes.values() for number, _ in shape.items}
        self._failed: dict[str, list[str]] = {}
        self.unfinished: set[str] = set()  # numbers of products that the report names
        self._processes: ShapeProcesses | None = None
        if shapes:
            models, wanted = ShapeModels(content), list(shapes.values())
            self._processes = ShapeProcesses(models, wanted, decimals=content.decimals)

    def of(self, number: str, name: str) -> Drawing:
        """Return what is known of a product, by its number, once it is built.

        `name` is what people call the product; the report names it if it could not be built.
        """
        if number in self._held:
            if not self._held[number]:
                self._fail(NOT_BUILT_BEFORE, name, number)
            return Drawing(drawn=Drawn.HELD)
        if self._processes is None or number not in self._built:
            return Drawing()
        found = self._processes.result(number)
        if isinstance(found, str):
            self._fail(found, name, number)
            return Drawing(drawn=Drawn.UNKNOWN if found == NOT_REACHED else Drawn.BUILT)
        return Drawing(*found, Drawn.BUILT)

    def close(self) -> None:
        """End the processes."""
        if self._processes is not None:
            self._processes.close()

    def remarks(self) -> Iterator[str]:
        """Yield how many shapes were not built, and why."""
        for reason, names in sorted(self._failed.items()):
            named = ", ".join([*names[:NAMES_MAX], *(["…"] if len(names) > NAMES_MAX else [])])
            yield f"{counted(len(names), 'shape')} {reason} ({named}); all else of them is kept."

    def _fail(self, reason: str, name: str, number: str) -> None:
        self.unfinished.add(number)
        self._failed.setdefault(reason, []).append(name)


def _add(shapes: dict[tuple[str, str], Shape], product: ShapedProduct) -> None:
    """Add a product to its shape; a place that only the builder knows is no part of a shape."""
    placed = product.placed if product.placement is None else ""
    shape = shapes.setdefault((product.digest, placed), Shape(product.representations, placed))
    shape.items.append((product.number, product.placement))
