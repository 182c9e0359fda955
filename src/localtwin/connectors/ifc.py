"""The IFC connector: projects, spatial structure, products, types and groups, by GlobalId."""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import ifcopenshell
import ifcopenshell.util.element as ifc_element
import ifcopenshell.util.placement as ifc_placement
import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_digest import Digests
from localtwin.connectors.source import (
    Connector,
    ConnectorError,
    Json,
    Partition,
    SourceElement,
    unreadable,
)

Instance: TypeAlias = Any  # an ifcopenshell.entity_instance, which has no static types
Matrix: TypeAlias = NDArray[np.float64]

SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
TAIL_BYTES = 4096  # the closing line is the last, give or take blanks and a comment
END = b"END-ISO-10303-21"
DECIMALS = 6  # of the length unit: finer differences are the noise of an export, not an edit

# Attributes that are kept by other means, or that change although nothing was edited.
_TOLD_ELSEWHERE = {"GlobalId", "OwnerHistory", "Name", "Tag", "ObjectPlacement", "HasPropertySets"}


class IfcConnector(Connector):
    """Reads IFC2X3, IFC4 and IFC4X3 in the STEP encoding."""

    name = "IFC"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield every rooted object, parents first; raises ConnectorError on a broken file."""
        yield from _Reading(_opened(file)).elements()


class IfcZipConnector(Connector):
    """Reads the IFC file inside an .ifczip."""

    name = "IFC"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield as IfcConnector does; raises ConnectorError if there is no IFC file inside."""
        try:
            with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as folder:
                inner = next((n for n in archive.namelist() if n.lower().endswith(".ifc")), None)
                if inner is None:
                    raise unreadable("There is no .ifc file in the archive.")
                yield from IfcConnector().read(Path(archive.extract(inner, folder)))
        except zipfile.BadZipFile as exc:
            raise unreadable("The archive is damaged.") from exc


class _Reading:
    """One pass over an open model; remembers what many elements share."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self._model = model
        self._digests = Digests(model)
        self._placements: dict[int, Matrix | None] = {}
        self._definitions: dict[int, Json] = {}
        self._told: set[int] = set()

    def elements(self) -> Iterator[SourceElement]:
        for kind in ("IfcProject", "IfcTypeObject", "IfcGroup", "IfcProduct"):
            for instance in self._model.by_type(kind):
                yield from self._with_parents(instance)

    def _with_parents(self, instance: Instance) -> Iterator[SourceElement]:
        line: list[Instance] = []
        above: Instance | None = instance
        while above is not None and above.id() not in self._told:
            self._told.add(above.id())
            line.append(above)
            above = _parent(above)
        for each in reversed(line):
            yield self._element(each)

    def _element(self, instance: Instance) -> SourceElement:
        entity = instance.is_a()
        parent = _parent(instance)
        return SourceElement(
            identifier=_identifier(instance),
            class_name=f"{self._model.schema}:{entity}",
            partition=Partition.PHYSICAL if instance.is_a("IfcProduct") else Partition.DEFINITION,
            label=_text(instance.Name),
            code=_text(getattr(instance, "Tag", None)),
            parent=None if parent is None else _identifier(parent),
            type_definition=self._type(instance),
            properties=self._properties(instance),
            shape=self._shape(instance),
        )

    def _type(self, instance: Instance) -> str | None:
        if instance.is_a("IfcTypeObject"):
            return None
        kind = ifc_element.get_type(instance)
        return None if kind is None else _identifier(kind)

    def _properties(self, instance: Instance) -> dict[str, Json]:
        properties: dict[str, Any] = {}
        for name, value in zip(_attribute_names(instance), instance, strict=True):
            if name not in _TOLD_ELSEWHERE and not _is_shape(value) and value is not None:
                properties[name] = self._plain(value)
        properties |= self._definition_sets(instance)
        for kind, label, _ in sorted(self._associations(instance)):
            properties[kind] = [*properties.get(kind, ()), label]
        placement = self._placement(getattr(instance, "ObjectPlacement", None))
        if placement is not None:
            properties["Placement"] = placement[:3].round(DECIMALS).ravel().tolist()
        if groups := sorted(
            _identifier(relation.RelatingGroup)
            for relation in getattr(instance, "HasAssignments", None) or ()
            if relation.is_a("IfcRelAssignsToGroup")
        ):
            properties["Groups"] = groups
        return properties

    def _shape(self, instance: Instance) -> str:
        """Return digests of the geometry and whatever else the object refers to."""
        names = _attribute_names(instance)
        parts = [
            f"{name}:{self._plain(value)}"
            for name, value in zip(names, instance, strict=True)
            if name not in _TOLD_ELSEWHERE and _is_shape(value)
        ]
        placement = getattr(instance, "ObjectPlacement", None)
        if placement is not None and self._placement(placement) is None:
            parts.append(self._digests.of(placement))
        parts += sorted(digest for _, _, digest in self._associations(instance))
        return ";".join(parts)

    def _definition_sets(self, instance: Instance) -> dict[str, Json]:
        """Return the property and quantity sets by name; a type's sets stay with the type."""
        found = list(getattr(instance, "HasPropertySets", None) or ())
        for relation in getattr(instance, "IsDefinedBy", None) or ():
            if relation.is_a("IfcRelDefinesByProperties"):
                definition = relation.RelatingPropertyDefinition
                if definition is None:
                    continue  # a reference to a line that is not in the file
                # IFC4 allows a set of definitions here.
                found.extend([definition] if definition.is_a("IfcRoot") else definition[0])
        sets: dict[str, Json] = {}
        for definition in found:
            sets[_text(definition.Name) or definition.is_a()] = self._definition(definition)
        return {"PropertySets": sets} if sets else {}

    def _definition(self, definition: Instance) -> Json:
        step = definition.id()
        if step not in self._definitions:
            values = ifc_element.get_property_definition(definition)
            if definition.is_a("IfcPropertySet"):  # whose property "id" would be overwritten above
                values = ifc_element.get_properties(definition.HasProperties)
            else:
                values.pop("id")
            self._definitions[step] = {
                str(key): self._plain(value) for key, value in values.items()
            }
        return self._definitions[step]

    def _associations(self, instance: Instance) -> Iterator[tuple[str, str, str]]:
        """Yield kind, name and digest of each material, classification and document."""
        for relation in getattr(instance, "HasAssociations", None) or ():
            # An association's last attribute is what is associated, in every schema.
            target = relation[len(relation) - 1]
            if isinstance(target, ifcopenshell.entity_instance):
                kind = relation.is_a().removeprefix("IfcRelAssociates")
                yield kind, _label_of(target), self._digests.of(target)

    def _placement(self, placement: Instance | None) -> Matrix | None:
        """Return the position in the coordinates of the project.

        None if there is none, or if it takes geometry to know it (on a grid, along a curve).
        """
        if placement is None:
            return None
        step = placement.id()
        if step not in self._placements:
            self._placements[step] = self._computed_placement(placement)
        return self._placements[step]

    def _computed_placement(self, placement: Instance) -> Matrix | None:
        if not placement.is_a("IfcLocalPlacement"):
            return None
        relative: Matrix = ifc_placement.get_axis2placement(placement.RelativePlacement)
        if placement.PlacementRelTo is None:
            return relative
        above = self._placement(placement.PlacementRelTo)
        return None if above is None else np.asarray(above @ relative, dtype=np.float64)

    def _plain(self, value: Any) -> Json:
        """Return a value of ifcopenshell as JSON; references become what identifies them."""
        if isinstance(value, ifcopenshell.entity_instance):
            return self._named(value)
        if isinstance(value, dict):
            return {str(key): self._plain(each) for key, each in value.items() if key != "id"}
        if isinstance(value, (tuple, list, set, frozenset)):
            return [self._plain(each) for each in value]
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        return str(value)

    def _named(self, value: Instance) -> Json:
        if value.id() == 0:
            return self._plain(value[0])
        return _identifier(value) if value.is_a("IfcRoot") else self._digests.of(value)


def _opened(file: Path) -> ifcopenshell.file:
    """Return the model; refuses a file without its end, whose missing rest would be deleted."""
    with file.open("rb") as data:
        size_bytes = data.seek(0, 2)
        data.seek(max(0, size_bytes - TAIL_BYTES))
        tail = data.read()
    if not size_bytes:
        raise unreadable("The file is empty.", code="FileEmpty")
    if END not in tail:
        raise unreadable("The file ends before its last line.", code="FileIncomplete")
    try:
        return ifcopenshell.open(file, ".ifc")
    except ifcopenshell.SchemaError as exc:
        raise _unsupported(str(exc)) from exc
    except ifcopenshell.Error as exc:
        raise unreadable(f"The file is not valid IFC: {exc}") from exc


def _unsupported(message: str) -> ConnectorError:
    return ConnectorError(
        code="FormatVersionUnsupported",
        message=message,
        description=f"Export the model as one of {', '.join(SCHEMAS)}.",
        category="unsupported_format",
        can_user_fix=True,
    )


def _identifier(instance: Instance) -> str:
    return _text(instance.GlobalId) or f"without GlobalId: {instance.is_a()}"


def _text(value: Any) -> str:
    """Return a text attribute; ifcopenshell hands on whatever a broken file puts there."""
    return value if isinstance(value, str) else ""


def _label_of(target: Instance) -> str:
    """Return a name for what is associated: its own, or that of what it applies."""
    for name in ("Name", "LayerSetName", "ForLayerSet", "ForProfileSet"):
        value = getattr(target, name, None)
        if value:
            return value if isinstance(value, str) else _label_of(value)
    return str(target.is_a())


def _parent(instance: Instance) -> Instance | None:
    if instance.is_a("IfcProduct"):
        return ifc_element.get_parent(instance)
    return None


def _attribute_names(instance: Instance) -> list[str]:
    return [instance.attribute_name(index) for index in range(len(instance))]


def _is_shape(value: Any) -> bool:
    """Return whether a value refers to instances that are not elements themselves."""
    if isinstance(value, ifcopenshell.entity_instance):
        return value.id() != 0 and not value.is_a("IfcRoot")
    return isinstance(value, tuple) and any(_is_shape(each) for each in value)
