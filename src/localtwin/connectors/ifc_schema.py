"""What the IFC schemas say of their classes: names, attributes, and which kind each one is."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from ifcopenshell import ifcopenshell_wrapper as wrapper

from localtwin.connectors.source import ConnectorError

SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
_LIBRARY_NAMES = {"IFC4X3": "IFC4X3_ADD2"}
_LENGTH = "Length"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute; `kind` is "entity", "length", "number" or "other"."""

    name: str
    kind: str


@dataclass(frozen=True)
class IfcClass:
    """A class of the schema; `kinds` are the keywords of itself and of those it derives from."""

    name: str
    attributes: tuple[Attribute, ...]
    kinds: frozenset[str]

    def index(self, *names: str) -> int | None:
        """Return the place of the first attribute that the class has; None without any."""
        places = {each.name: place for place, each in enumerate(self.attributes)}
        return next((places[name] for name in names if name in places), None)

    @cached_property
    def has_only_lengths(self) -> bool:
        """Whether all numbers of the class are lengths."""
        kinds = {each.kind for each in self.attributes}
        return "length" in kinds and "number" not in kinds


class Schema:
    """One IFC schema; classes are found by keyword, such as "IFCWALL"."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parser_name = _LIBRARY_NAMES.get(name, name)
        self._declared = wrapper.schema_by_name(self.parser_name)
        self._classes: dict[str, IfcClass | None] = {}
        self._types: dict[str, str] = {}

    def of(self, keyword: str) -> IfcClass | None:
        """Return the class; None if the schema has none of that name."""
        if keyword not in self._classes:
            self._classes[keyword] = self._read(keyword)
        return self._classes[keyword]

    def is_a(self, keyword: str, *kinds: str) -> bool:
        """Return whether the class is one of `kinds` or derives from one."""
        found = self.of(keyword)
        return found is not None and not found.kinds.isdisjoint(kinds)

    def name_of(self, keyword: str) -> str:
        """Return the name as the schema spells it, "IfcWall"; the keyword if it has none."""
        found = self.of(keyword)
        return keyword if found is None else found.name

    def type_name(self, keyword: str) -> str:
        """Return the name of a type of values as the schema spells it, "IfcLengthMeasure"."""
        if keyword not in self._types:
            try:
                self._types[keyword] = str(self._declared.declaration_by_name(keyword).name())
            except RuntimeError:
                self._types[keyword] = keyword
        return self._types[keyword]

    def _read(self, keyword: str) -> IfcClass | None:
        try:
            declared = self._declared.declaration_by_name(keyword).as_entity()
        except RuntimeError:
            return None
        if declared is None:
            return None
        kinds, above = {keyword}, declared.supertype()
        while above is not None:
            kinds.add(str(above.name_uc()))
            above = above.supertype()
        attributes = (
            Attribute(str(each.name()), _kind(each.type_of_attribute()))
            for each in declared.all_attributes()
        )
        return IfcClass(str(declared.name()), tuple(attributes), frozenset(kinds))


@lru_cache(maxsize=len(SCHEMAS))
def schema_of(name: str) -> Schema:
    """Return the schema that a file names; raises ConnectorError if it can't be read."""
    known = next((each for each in reversed(SCHEMAS) if _is_edition(name, each)), None)
    if known is None:
        raise ConnectorError(
            code="FormatVersionUnsupported",
            message=f"The file's schema is {name}, which can't be read.",
            description=f"Export the model as one of {', '.join(SCHEMAS)}.",
            category="unsupported_format",
            can_user_fix=True,
        )
    return Schema(known)


def _is_edition(name: str, schema: str) -> bool:
    """Return whether the name is that of the schema or of one of its editions, "IFC4_ADD2"."""
    return name == schema or name.startswith(f"{schema}_")


def _kind(declared: Any) -> str:
    """Return what values of a declared type are."""
    text = str(declared)
    if "<entity" in text or "<select" in text:
        return "entity"
    if "<real>" not in text and "<number>" not in text:
        return "other"
    return "length" if f"{_LENGTH}Measure" in text else "number"
