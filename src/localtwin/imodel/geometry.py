"""Writes shape, placement, outline and extent of elements into an iModel."""

import json

import apsw

from localtwin.connectors.source import Drawn, SourceElement
from localtwin.imodel.outline import EMPTY, encode_outline
from localtwin.imodel.tally import CHANGES_OF, Tally

_INSERT = "INSERT INTO bis_GeometricElement VALUES (?, ?, ?, ?)"
_NONE = (None, None, None)


class GeometryWriter:
    """Keeps the geometry of elements; those whose geometry is HELD keep what they have."""

    def __init__(self, database: apsw.Connection, tally: Tally) -> None:
        self._database = database
        self._run = database.execute
        self._tally = tally

    def insert(self, element: SourceElement, element_id: int) -> None:
        """Write the geometry of a new element; its extent is in its own row."""
        geometry = _row(element)
        if any(geometry):
            self._run(_INSERT, (element_id, *geometry))

    def update(self, element: SourceElement, element_id: int) -> None:
        """Bring the geometry of an element that changed to what the source states."""
        if element.drawn is Drawn.HELD:
            return
        wanted = _row(element)
        held = self._run(
            "SELECT Shape, Placement, Outline FROM bis_GeometricElement WHERE ElementId = ?",
            (element_id,),
        ).fetchone()
        if wanted == (held or _NONE):
            return
        if any(wanted):
            self._run(
                f"{_INSERT} ON CONFLICT DO UPDATE SET (Shape, Placement, Outline)"
                " = (excluded.Shape, excluded.Placement, excluded.Outline)",
                (element_id, *wanted),
            )
        else:
            self._run("DELETE FROM bis_GeometricElement WHERE ElementId = ?", (element_id,))
        self._tally.changes |= CHANGES_OF[element.partition]

    def follow(self, element: SourceElement, element_id: int) -> None:
        """Bring what follows from an element's content up to date, where that did not change."""
        self.update(element, element_id)
        if element.drawn is not Drawn.BUILT:
            return
        box = box_of(element)
        self._run(
            "UPDATE bis_Element SET (MinX, MinY, MinZ, MaxX, MaxY, MaxZ) = (?, ?, ?, ?, ?, ?)"
            " WHERE Id = ? AND (MinX, MinY, MinZ, MaxX, MaxY, MaxZ) IS NOT (?, ?, ?, ?, ?, ?)",
            (*box, element_id, *box),
        )
        if self._database.changes():
            self._tally.changes |= CHANGES_OF[element.partition]


def box_of(element: SourceElement) -> tuple[float | None, ...]:
    """Return the extent as the six columns of an element's row."""
    extent = element.extent
    return (*extent.low, *extent.high) if extent else (None,) * 6


def _row(element: SourceElement) -> tuple[str | None, str | None, bytes | None]:
    """Return shape, placement and outline as they are stored."""
    placement = None if element.placement is None else json.dumps(element.placement)
    outline = encode_outline(element.outline)
    if outline is None and element.drawn is Drawn.BUILT:
        outline = EMPTY
    return element.shape or None, placement, outline
