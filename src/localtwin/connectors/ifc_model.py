"""An IFC file by what its schema says: attributes by name, instances by class."""

from collections.abc import Iterator

from localtwin.connectors.ifc_schema import IfcClass, Schema
from localtwin.connectors.ifc_step import StepFile
from localtwin.connectors.ifc_values import Value, arguments

OBJECTS = ("IFCOBJECTDEFINITION", "IFCPROPERTYTEMPLATEDEFINITION")


class IfcModel:
    """One file; instances are known by their numbers, "#12", and not kept as objects."""

    def __init__(self, step: StepFile, schema: Schema) -> None:
        self.step = step
        self.schema = schema
        self._global_ids: dict[str, str] = {}

    def of_kind(self, *kinds: str) -> Iterator[str]:
        """Yield the instances of classes that are, or derive from, one of `kinds`."""
        for keyword, numbers in self.step.by_keyword.items():
            if self.schema.is_a(keyword, *kinds):
                yield from numbers

    def is_a(self, number: str, *kinds: str) -> bool:
        """Return whether an instance is of one of `kinds`; False if it is not in the file."""
        keyword = self.step.keywords.get(number)
        return keyword is not None and self.schema.is_a(keyword, *kinds)

    def class_of(self, number: str) -> IfcClass | None:
        """Return the class of an instance; None if it is unknown or the instance is missing."""
        keyword = self.step.keywords.get(number)
        return None if keyword is None else self.schema.of(keyword)

    def class_name(self, number: str) -> str:
        """Return the class as the schema spells it, "IfcWall"."""
        return self.schema.name_of(self.step.keywords[number])

    def attributes(self, number: str) -> dict[str, Value]:
        """Return the attributes of an instance by name; empty if it is missing or unknown."""
        found = self.class_of(number)
        if found is None:
            return {}
        values = arguments(self.step.arguments[number])
        return {each.name: value for each, value in zip(found.attributes, values, strict=False)}

    def global_id(self, number: str) -> str:
        """Return the GlobalId of a rooted instance, or what stands for one that is missing."""
        if number not in self._global_ids:
            text = self.step.arguments[number].partition(",")[0].strip(" ')")
            missing = f"without GlobalId: {self.class_name(number)}"
            self._global_ids[number] = text if text not in ("", "$") else missing
        return self._global_ids[number]
