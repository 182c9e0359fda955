"""Brings features into the coordinate system of the iModel, so that sources lie upon each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from localtwin.connectors.geospatial_shapes import Geometry
from localtwin.connectors.polylines import Point


@dataclass(frozen=True, slots=True)
class Placing:
    """The way from the coordinate system of a layer to that of the iModel, called `target`."""

    target: str
    transformer: pyproj.Transformer

    @classmethod
    def between(cls, system: str | None, target: str) -> Self | None:
        """Return the way; None if there is none to go, or none is known.

        An iModel in degrees has no plan to lay features into, so they stay where they are.
        """
        if not system or not target:
            return None
        try:
            from_crs, to_crs = (
                pyproj.CRS.from_user_input(system),
                pyproj.CRS.from_user_input(target),
            )
            if not to_crs.is_projected or from_crs.equals(to_crs, ignore_axis_order=True):
                return None
            return cls(target, pyproj.Transformer.from_crs(from_crs, to_crs, always_xy=True))
        except (CRSError, ProjError):
            return None

    def placed(self, geometry: Geometry) -> Geometry | None:
        """Return the geometry there, heights as they are; None if it is outside of the system."""
        found = shapely.transform(geometry, self._moved, include_z=bool(geometry.has_z))
        return found if np.isfinite(shapely.get_coordinates(found)).all() else None

    def placed_points(self, points: Sequence[Point]) -> list[Point] | None:
        """Return the points there, heights as they are; None if one is outside of the system."""
        found = self._moved(np.array(points, np.float64).reshape(-1, 3))
        return [(x, y, z) for x, y, z in found.tolist()] if np.isfinite(found).all() else None

    def _moved(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = points.copy()
        moved[:, 0], moved[:, 1] = self.transformer.transform(points[:, 0], points[:, 1])
        return moved
