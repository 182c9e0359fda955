"""Lines of DXF entities with what blocks draw for them: inserts, dimensions, tables."""

import math

from ezdxf.math import OCS, Matrix44, Vec3

from localtwin.connectors.dxf_drawing import Drawing, Entity, is_end
from localtwin.connectors.dxf_geometry import lines_of, number_of, point_of
from localtwin.connectors.dxf_objects import DxfObject, read_object
from localtwin.connectors.polylines import Polyline, thinned_lines

# A block that draws more than this counts as its box wherever it is inserted: without a bound,
# ten blocks that insert each other ten times would draw 10^10 lines.
BLOCK_POINTS_MAX = 1_000
BLOCK_ENTITIES_MAX = 20_000


class BlockLines:
    """The lines of entities, with each block worked out once."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._blocks: dict[str, list[Polyline]] = {}
        self.failed: list[str] = []

    def lines(self, entity: Entity, found: DxfObject) -> list[Polyline]:
        """Return the lines of an entity in the coordinates of the space it lies in."""
        try:
            drawn_by = self._drawing.drawn_by(found)
            drawn = self._block(drawn_by) if drawn_by else []
            if drawn:
                drawn = _placed(found, drawn, self._base(drawn_by))
            if found.kind == "INSERT":
                drawn += self._attributes(entity)
            return drawn or lines_of(entity, found)
        except Exception:  # noqa: BLE001 - whatever ezdxf makes of odd data, the entity is kept
            self.failed.append(found.kind)
            return []

    def _block(self, name: str) -> list[Polyline]:
        key = name.lower()
        if key not in self._blocks:
            self._blocks[key] = []  # a block that contains itself ends here
            block = self._drawing.blocks.get(key)
            found: list[Polyline] = []
            for entity in block.entities[:BLOCK_ENTITIES_MAX] if block else ():
                if entity.record[0][1] != "ATTDEF":
                    found += self.lines(entity, read_object(entity.record))
            self._blocks[key] = thinned_lines(found, BLOCK_POINTS_MAX)
        return self._blocks[key]

    def _base(self, name: str) -> Vec3:
        block = self._drawing.blocks.get(name.lower())
        return Vec3(block.base) if block else Vec3()

    def _attributes(self, entity: Entity) -> list[Polyline]:
        found: list[Polyline] = []
        for part in entity.parts:
            if not is_end(part):
                found += lines_of(Entity(part, []), read_object(part))
        return found


def _placed(found: DxfObject, lines: list[Polyline], base: Vec3) -> list[Polyline]:
    if found.kind == "INSERT":
        matrices = [Matrix44.translate(*-base) @ matrix for matrix in _insert_matrices(found)]
    elif found.kind == "ACAD_TABLE":
        x, y, _ = point_of(found, "horizontal_direction")
        turn = Matrix44.z_rotate(math.atan2(y, x))
        matrices = [turn @ Matrix44.translate(*point_of(found, "insert"))]
    else:  # the block of a dimension lies where the dimension is
        return list(lines)
    return [
        [point.xyz for point in matrix.transform_vertices(Vec3.generate(line))]
        for matrix in matrices
        for line in lines
    ]


def _insert_matrices(found: DxfObject) -> list[Matrix44]:
    """Return where an insert places its block; of an array, only the cells at its corners."""
    scale = Matrix44.scale(*(number_of(found, f"{axis}scale", 1.0) for axis in "xyz"))
    turn = Matrix44.z_rotate(math.radians(number_of(found, "rotation")))
    place = Matrix44.translate(*point_of(found, "insert"))
    if found.values.get("extrusion"):
        place = place @ OCS(point_of(found, "extrusion")).matrix
    columns = max(1, int(number_of(found, "column_count", 1)))
    rows = max(1, int(number_of(found, "row_count", 1)))
    across, up = number_of(found, "column_spacing"), number_of(found, "row_spacing")
    return [
        scale @ Matrix44.translate(column * across, row * up, 0) @ turn @ place
        for column in sorted({0, columns - 1})
        for row in sorted({0, rows - 1})
    ]
