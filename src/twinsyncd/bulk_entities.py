"""The kinds of records of the bulk API: their fields, in order of dependency; pure data.

Source: Ra Factory, docs of the sync endpoints, read 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    GUID = "GUID"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of record; `is_open`: it has more optional fields than are known here."""

    name: str
    required: frozenset[str]
    fields: dict[str, Kind]
    is_open: bool = False

    def kind_of(self, field: str) -> Kind | None:
        """Return what a field holds; None if its value is sent as it is."""
        return self.fields.get(field)


PARENT_OF: Final = {
    "project_guid": "projects",
    "component_guid": "components",
    "assembly_guid": "assemblies",
}
"""The kind of record that a field names by its GUID."""

_T, _G, _W, _N = Kind.TEXT, Kind.GUID, Kind.WHOLE, Kind.NUMBER
_COMMON: Final = {"guid": _G, "company_guid": _G, "deleted_at": Kind.DATE}
_PARENTS: Final = {"project_guid": _G, "component_guid": _G}


def _entity(name: str, required: str, fields: dict[str, Kind], *, is_open: bool = False) -> Entity:
    known = frozenset({"guid", "company_guid", *required.split()})
    return Entity(name, known, {**_COMMON, **fields}, is_open)


ENTITIES: Final[dict[str, Entity]] = {
    each.name: each
    for each in (
        _entity(
            "projects",
            "code",
            {
                "code": _T,
                "due_date": Kind.DATE,
                "in_production": Kind.FLAG,
                "company_name": _T,
                "is_active": Kind.FLAG,
                "updated_at": Kind.DATE,
            },
        ),
        _entity(
            "components",
            "code project_guid",
            {
                "code": _T,
                "designation": _T,
                "project_guid": _G,
                "quantity": _W,
                "picture": _T,
                "is_active": Kind.FLAG,
            },
        ),
        _entity(
            "assemblies",
            "project_guid component_guid",
            {**_PARENTS, "trolley_cell": _T, "trolley": _T, "cell_number": _W, "picture": _T},
        ),
        _entity(
            "pieces",
            "piece_id project_guid component_guid",
            {
                **_PARENTS,
                "piece_id": _T,
                "assembly_guid": _G,
                "barcode": _T,
                "outer_length": _N,
                "angle_left": _N,
                "angle_right": _N,
            },
            is_open=True,
        ),
        _entity(
            "articles",
            "code project_guid component_guid",
            {
                **_PARENTS,
                **dict.fromkeys(("code", "designation", "unit", "position"), _T),
                **dict.fromkeys(("quantity", "length", "width", "height", "surface"), _N),
                **dict.fromkeys(("angle1", "angle2", "unit_weight", "bar_length"), _N),
            },
            is_open=True,
        ),
    )
}
"""In order of dependency: parents before what names them."""

RANK: Final = {name: rank for rank, name in enumerate(ENTITIES)}


def children_of(entity: str) -> tuple[str, ...]:
    """Return the kinds of records that name a record of this kind as their parent."""
    own = next((name for name, kind in PARENT_OF.items() if kind == entity), "")
    return tuple(name for name, each in ENTITIES.items() if own in each.fields)
