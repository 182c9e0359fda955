"""Places what LandXML draws where the iModel lies, if the file says where it lies itself."""

from collections.abc import Iterator

from localtwin.connectors.geospatial_places import Placing
from localtwin.connectors.polylines import Point, Polyline
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Json

# The units of LandXML by the names that coordinate systems have for them.
_UNITS = {"meter": "metre", "foot": "foot", "USSurveyFoot": "US survey foot"}


class LandPlaces:
    """The way from the system of one file to that of the iModel, called `target`; "" for none."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._placing: Placing | None = None
        self._has_other_unit = False
        self._early = self._outside = 0

    @property
    def system(self) -> str:
        """The system in which lines and points are now; "" if that is the file's own."""
        return "" if self._placing is None else self._placing.target

    def begin(self, heading: dict[str, Json]) -> None:
        """Place what follows, once units and system of the file are known."""
        system, units = heading.get("coordinate_system"), heading.get("units")
        if not isinstance(system, dict) or "id" not in system:
            return
        placing = Placing.between(str(system["id"]), self._target)
        unit = str(units.get("linearUnit", "")) if isinstance(units, dict) else ""
        self._has_other_unit = placing is not None and _UNITS.get(unit) != system.get("unit")
        self._placing = None if self._has_other_unit else placing

    def placed(self, lines: list[Polyline]) -> list[Polyline]:
        """Return the lines where the iModel lies; none if one of them is outside of its system."""
        if self._placing is None:
            self._early += bool(lines)
            return lines
        found: list[Polyline] = []
        for line in lines:
            placed = self._placing.placed_points(line)
            if placed is None:
                self._outside += 1
                return []
            found.append(placed)
        return found

    def placed_point(self, point: Point) -> Point | None:
        """Return the point where the iModel lies; None if it is outside of its system."""
        found = self.placed([[point]])
        return found[0][0] if found else None

    def remarks(self) -> Iterator[str]:
        """Yield where the items of the file were placed."""
        if self._has_other_unit:
            yield (
                f"The unit of lengths is not that of the coordinate system, so nothing was placed"
                f" in {self._target}, where the iModel lies."
            )
        if self._placing is None:
            return
        yield f"The items were placed in {self.system}, where the iModel lies; heights are kept."
        if self._early:
            items = counted(self._early, "item")
            yield f"{items} before the coordinate system in the file, so not placed."
        if self._outside:
            yield f"{counted(self._outside, 'item')} outside of {self.system}, not drawn."
