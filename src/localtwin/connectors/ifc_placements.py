"""Where IFC objects stand: placements as matrices in the coordinates of the project."""

import math
import re
from typing import TypeAlias

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_values import Reference, Value, references

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector, Vector]  # axes x, y, z and the origin

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
AXIS_DECIMALS = 9

# Nearly all placements look like these.
_LOCAL = re.compile(r"(\$|\#\d+),(\#\d+)\)")
_STRAIGHT = re.compile(r"(\#\d+),\$,\$\)")
_BRACKETS = str.maketrans("", "", "() \t")


class Placements:
    """The placements of one model; remembers them, as objects stand in others."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._model = content.model
        self._decimals = content.decimals
        self._known: dict[str, Matrix | None] = {}

    def of(self, number: str) -> tuple[float, ...] | None:
        """Return a placement as a 3x4 matrix, row by row, rounded to the file's precision.

        None if it takes geometry to know it: on a grid, or along a curve.
        """
        matrix = self._matrix(number)
        if matrix is None:
            return None
        x, y, z, origin = matrix
        rows = zip(x, y, z, origin, strict=True)
        return tuple(
            round(value, AXIS_DECIMALS if place < 3 else self._decimals) + 0.0
            for row in rows
            for place, value in enumerate(row)
        )

    def _matrix(self, number: str) -> Matrix | None:
        """Compute the placement, those that it is relative to first."""
        chain: list[str] = []
        above: str | None = number
        while above is not None and above not in self._known and above not in chain:
            chain.append(above)
            above = next(iter(references(self._relative_to(above))), None)
        known = IDENTITY if above is None else self._known.get(above, IDENTITY)
        for each in reversed(chain):
            own = self._own(each)
            known = None if known is None or own is None else _combined(known, own)
            self._known[each] = known
        return self._known[number]

    def _relative_to(self, number: str) -> Value:
        if (plain := self._plain_local(number)) is not None:
            return None if plain[1] == "$" else Reference(plain[1])
        return self._model.attributes(number).get("PlacementRelTo")

    def _plain_local(self, number: str) -> re.Match[str] | None:
        """Return what a placement is relative to and its axes, if it is written as most are."""
        step = self._model.step
        is_local = step.keywords.get(number) == "IFCLOCALPLACEMENT"
        return _LOCAL.fullmatch(step.arguments[number]) if is_local else None

    def _own(self, number: str) -> Matrix | None:
        if (plain := self._plain_local(number)) is not None:
            return self._axes(plain[2])
        if not self._model.is_a(number, "IFCLOCALPLACEMENT"):
            return None
        for axes in references(self._model.attributes(number).get("RelativePlacement")):
            return self._axes(axes)
        return IDENTITY

    def _axes(self, number: str) -> Matrix | None:
        step = self._model.step
        if step.keywords.get(number) == "IFCAXIS2PLACEMENT3D" and (
            straight := _STRAIGHT.fullmatch(step.arguments[number])
        ):
            at = self._numbers(straight[1], "IFCCARTESIANPOINT")
            return None if at is None else (*IDENTITY[:3], at)
        values = self._model.attributes(number)
        found = references(values.get("Location"))
        origin = self._numbers(found[0], "IFCCARTESIANPOINT") if found else (0.0, 0.0, 0.0)
        if origin is None:
            return None
        z = self._direction(values.get("Axis"), (0.0, 0.0, 1.0))
        wanted = self._direction(values.get("RefDirection"), _across(z))
        along = _dot(wanted, z)
        x = _unit(tuple(a - along * b for a, b in zip(wanted, z, strict=True))) or _across(z)
        return x, _cross(z, x), z, origin

    def _direction(self, value: Value, usual: Vector) -> Vector:
        for number in references(value):
            return _unit(self._numbers(number, "IFCDIRECTION") or usual) or usual
        return usual

    def _numbers(self, number: str, kind: str) -> Vector | None:
        """Return the coordinates of a point or a direction; None if it is of another kind."""
        step = self._model.step
        if step.keywords.get(number) != kind:
            return None
        texts = step.arguments[number].translate(_BRACKETS).split(",")
        x, y, z, *_ = [*(float(each) for each in texts if each), 0.0, 0.0, 0.0]
        return x, y, z


def _combined(above: Matrix, own: Matrix) -> Matrix:
    x, y, z, origin = own
    at = _turned(above, origin)
    ax, ay, az = above[3]
    if own[:3] == IDENTITY[:3]:
        return (*above[:3], (at[0] + ax, at[1] + ay, at[2] + az))
    return (
        _turned(above, x),
        _turned(above, y),
        _turned(above, z),
        (at[0] + ax, at[1] + ay, at[2] + az),
    )


def _turned(axes: Matrix, vector: Vector) -> Vector:
    (a, b, c), (d, e, f), (g, h, i), _ = axes
    x, y, z = vector
    return (a * x + d * y + g * z, b * x + e * y + h * z, c * x + f * y + i * z)


def _across(z: Vector) -> Vector:
    """Return the x axis that IFC takes if none is given."""
    x = (1.0, 0.0, 0.0) if abs(z[0]) < 1.0 else (0.0, 0.0, 1.0)
    along = _dot(x, z)
    return _unit(tuple(a - along * b for a, b in zip(x, z, strict=True))) or (1.0, 0.0, 0.0)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _unit(vector: tuple[float, ...]) -> Vector | None:
    x, y, z = vector
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length) if length > 1e-12 else None
