"""Plan views: what an iModel holds, or what a changeset changed, seen from above.

An element is drawn by its outline, else by its extent. Coordinates are those of the source files.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Self

import apsw

from localtwin.connectors.source import Partition
from localtwin.imodel.contents import Element, elements
from localtwin.imodel.difference import KINDS, Difference, Kind, difference
from localtwin.imodel.outline import Polyline

INSERTED, UPDATED, DELETED = "#15803d", "#d97706", "#b91c1c"
BEFORE = "#fcd34d"  # where an updated element was drawn before
UNCHANGED = "#c9ced6"
PLAIN = "#1f2937"

ELEMENTS_MAX = 200_000  # of one drawing; more lines than pixels show nothing
CHANGES_MAX = 3_000  # of each kind in the drawing of a changeset
CONTEXT_MAX = 2_000  # unchanged elements around them, so that a small change costs little

# A few stray objects far away must not shrink the rest to a dot.
_TRIM_SHARE = 0.02
_TRIM_FACTOR = 10.0
_TRIM_MIN = 20
_SPECK_SHARE = 0.05  # of the whole drawing; what is smaller cannot be made out


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle in the plan; may be a line or a point."""

    low_x: float
    low_y: float
    high_x: float
    high_y: float

    @classmethod
    def of(cls, polylines: Iterable[Polyline]) -> Self | None:
        """Return the rectangle around the polylines; None if there are none."""
        points = list(chain.from_iterable(polylines))
        if not points:
            return None
        xs, ys = zip(*points, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @property
    def size(self) -> float:
        """The length of its longer side."""
        return max(self.high_x - self.low_x, self.high_y - self.low_y)

    def around(self, other: "Bounds | None") -> "Bounds":
        """Return the rectangle around both."""
        if other is None:
            return self
        return Bounds(
            min(self.low_x, other.low_x),
            min(self.low_y, other.low_y),
            max(self.high_x, other.high_x),
            max(self.high_y, other.high_y),
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """Polylines of one colour; `legend` is "" if the legend leaves them out."""

    colour: str
    polylines: Sequence[Polyline]
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing: layers from the lowest to the uppermost, and the part of the plane to show."""

    layers: tuple[Layer, ...]
    bounds: Bounds | None
    specks: tuple[str, ...] = ()  # sources so far apart that none of them can be made out


def plan_of_imodel(
    database: apsw.Connection, *, source: str | None = None, limit: int = ELEMENTS_MAX
) -> Plan:
    """Return the plan of all elements, or of those of the sources of that name."""
    found = list(islice(elements(database, source=source), limit))
    model = _drawn_model(found)
    drawn = [each for each in found if each.model == model and _shown(each)]
    polylines = _polylines(drawn, model)
    layer = Layer(PLAIN, polylines, f"{len(drawn):,} elements")
    bounds = _trimmed(polylines)
    return Plan((layer,), bounds, _specks(drawn, bounds))


def plan_of_changeset(
    database: apsw.Connection,
    changeset_file: Path,
    *,
    limit: int = CHANGES_MAX,
    context: int = CONTEXT_MAX,
) -> Plan:
    """Return what a changeset inserted, updated and deleted, among what it left unchanged.

    `database` is in the state just after the changeset, in a transaction of the caller. At most
    `limit` elements of each kind are drawn, and `context` unchanged ones.
    """
    found = difference(database, changeset_file, limit=limit)
    sources = {each.element.source_id for each in found.elements}
    touched = {each.element.id for each in found.elements}
    around = [
        each
        for source in sorted(sources)
        for each in islice(elements(database, source_id=source), context)
        if each.id not in touched
    ]
    model = _drawn_model([*(each.element for each in found.elements), *around])
    layers = (
        Layer(UNCHANGED, _polylines(around, model)),
        *_layers(found, model),
    )
    changed = Bounds.of(chain.from_iterable(layer.polylines for layer in layers[1:]))
    rest = _trimmed(layers[0].polylines)
    return Plan(layers, changed.around(rest) if changed else rest)


def plan_of_new_source(
    database: apsw.Connection, source_id: str, count: int, *, limit: int = CHANGES_MAX
) -> Plan:
    """Return what the first changeset of a source inserted, `count` elements, without reading it.

    As many as `limit` of them are drawn.
    """
    found = list(islice(elements(database, source_id=source_id), limit))
    polylines = _polylines(found, _drawn_model(found))
    return Plan((Layer(INSERTED, polylines, f"{count:,} inserted"),), _trimmed(polylines))


def _specks(drawn: Iterable[Element], bounds: Bounds | None) -> tuple[str, ...]:
    """Return the sources by name, if each of them is a speck in the drawing."""
    by_source: dict[str, list[Polyline]] = {}
    for each in drawn:
        by_source.setdefault(each.source, []).extend(_shown(each))
    sizes = [own.size for lines in by_source.values() if (own := _trimmed(lines))]
    if bounds is None or len(sizes) < 2 or max(sizes) > bounds.size * _SPECK_SHARE:
        return ()
    return tuple(sorted(by_source))


def _layers(found: Difference, model: str) -> Iterator[Layer]:
    """Yield the deleted lowest, so that they never hide what is there now."""
    by_kind = {kind: [each for each in found.elements if each.kind == kind] for kind in KINDS}
    before = [each.before for each in by_kind["updated"] if each.before is not None]
    after = [each.after for each in by_kind["updated"] if each.after is not None]
    moved = [old for old, new in zip(before, after, strict=True) if _shown(old) != _shown(new)]
    yield Layer(BEFORE, _polylines(moved, model))
    drawn: tuple[tuple[Kind, str, list[Element]], ...] = (
        ("deleted", DELETED, [each.element for each in by_kind["deleted"]]),
        ("updated", UPDATED, after),
        ("inserted", INSERTED, [each.element for each in by_kind["inserted"]]),
    )
    for kind, colour, held in drawn:
        yield Layer(colour, _polylines(held, model), f"{found.counts[kind]:,} {kind}")


def _drawn_model(found: Iterable[Element]) -> str:
    """Return the kind of model to draw: the plan, or sheets if there is nothing else."""
    models = {each.model for each in found if _shown(each)}
    physical, sheet = Partition.PHYSICAL.value, Partition.SHEET.value
    return sheet if physical not in models and sheet in models else physical


def _polylines(found: Iterable[Element], model: str) -> list[Polyline]:
    return [line for each in found if each.model == model for line in _shown(each)]


def _shown(held: Element) -> list[Polyline]:
    """Return how an element is drawn; nothing if it has neither outline nor extent."""
    lines: Sequence[Polyline] = held.outline
    if not lines and held.extent is not None:
        (x, y, _), (far_x, far_y, _) = held.extent.low, held.extent.high
        lines = [((x, y), (far_x, y), (far_x, far_y), (x, far_y), (x, y))]
    return [
        line
        for line in lines
        if line and all(math.isfinite(x) and math.isfinite(y) for x, y in line)
    ]


def _trimmed(polylines: Sequence[Polyline]) -> Bounds | None:
    """Return the bounds without the outermost few, if those are very far from the rest."""
    full = Bounds.of(polylines)
    if full is None or len(polylines) < _TRIM_MIN:
        return full
    xs, ys = zip(*(line[0] for line in polylines), strict=True)
    low_x, high_x = _middle(xs)
    low_y, high_y = _middle(ys)
    margin = max(high_x - low_x, high_y - low_y) * _TRIM_FACTOR
    if max(full.high_x - full.low_x, full.high_y - full.low_y) <= margin or margin == 0:
        return full
    near = [
        line
        for line in polylines
        if all(
            low_x - margin <= x <= high_x + margin and low_y - margin <= y <= high_y + margin
            for x, y in line
        )
    ]
    return Bounds.of(near)


def _middle(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    cut = int(len(ordered) * _TRIM_SHARE)
    return ordered[cut], ordered[-1 - cut]
