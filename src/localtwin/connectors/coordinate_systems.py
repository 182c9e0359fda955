"""Coordinate systems by the names under which they are registered, whoever wrote them down."""

import re
import warnings

import pyproj
from pyproj.exceptions import CRSError

from localtwin.connectors.source import Json

_UNITS = {"meter": "metre"}
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+")

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
    if authority:
        return {"name": crs.name, "unit": unit, "id": ":".join(authority)}
    # Writers spell the same definition in several ways; what it computes is the same.
    unit = _UNITS.get(unit.lower(), unit.lower())
    name = "_".join(filter(None, _BETWEEN_WORDS.split(crs.name)))
    return {"name": name, "unit": unit, "definition": _parameters(crs) or crs.to_wkt()}


def _parameters(crs: pyproj.CRS) -> str:
    """Return the short form of a system; "" if it has none, as with an unknown projection."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of what the short form leaves out
        try:
            return str(crs.to_proj4())
        except CRSError:
            return ""
