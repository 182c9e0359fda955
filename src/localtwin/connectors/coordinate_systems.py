"""Coordinate systems by the names under which they are registered, whoever wrote them down."""

import pyproj
from pyproj.exceptions import CRSError

from localtwin.connectors.source import Json

CONFIDENCE = 70  # percent, from which on a definition counts as that of a registered system


def described(text: str | None) -> dict[str, Json]:
    """Return name, unit and registered id of a system; its definition if it is not registered.

    `text` is an id such as "EPSG:2056", or well-known text. Nothing comes of what is neither.
    """
    if not text:
        return {}
    try:
        crs = pyproj.CRS.from_user_input(text)
    except CRSError:
        return {}
    authority = crs.to_authority(min_confidence=CONFIDENCE)
    unit = crs.axis_info[0].unit_name if crs.axis_info else ""
    found: dict[str, Json] = {"name": crs.name, "unit": unit}
    return found | ({"id": ":".join(authority)} if authority else {"definition": crs.to_wkt()})
