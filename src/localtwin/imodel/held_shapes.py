"""What an iModel holds of the shapes of one source, so that no shape is built twice."""

import json

import apsw

from localtwin.connectors.source import HeldShapes

_HELD = """
SELECT Shape, Placement, Outline NOT NULL, MinX NOT NULL
FROM bis_ExternalSourceAspect AS Aspect
JOIN bis_GeometricElement AS Geometric ON Geometric.ElementId = Aspect.ElementId
JOIN bis_Element AS Element ON Element.Id = Aspect.ElementId
WHERE Aspect.SourceId = ? AND Aspect.Identifier = ?
"""


class SourceShapes(HeldShapes):
    """The shapes of a source, if the same connector in the same version wrote them."""

    def __init__(
        self, database: apsw.Connection, source: str, connector_name: str, connector_version: str
    ) -> None:
        self._run = database.execute
        self._source: int | None = self._run(
            "SELECT Id FROM bis_ExternalSource WHERE Identifier = ? AND ConnectorName = ?"
            " AND ConnectorVersion = ?",
            (source, connector_name, connector_version),
        ).get

    def has_extent(
        self, identifier: str, shape: str, placement: tuple[float, ...] | None
    ) -> bool | None:
        """Return whether an element was found to have an extent when it was last built.

        None if it was never built with that shape in that place.
        """
        row = self._source and self._run(_HELD, (self._source, identifier)).fetchone()
        if not row:
            return None
        held_shape, held_placement, is_built, has_extent = row
        stated = None if placement is None else json.dumps(placement)
        if not is_built or (held_shape, held_placement) != (shape, stated):
            return None
        return bool(has_extent)
