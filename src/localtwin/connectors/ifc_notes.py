"""What IFC lays on an instance from outside: colours, layers, material properties, references.

Such an instance points at what it is about, and nothing points at it. It belongs to its target.
"""

import re
from collections.abc import Mapping, Sequence, Set

from localtwin.connectors.ifc_schema import Schema
from localtwin.connectors.ifc_step import StepFile

# The attributes that name what an instance is about; the first that the schema has counts.
_TARGETS = {
    "IFCAPPLIEDVALUERELATIONSHIP": ("ComponentOfTotal",),
    "IFCAPPROVALRELATIONSHIP": ("RelatingApproval", "RelatedApproval"),
    "IFCCLASSIFICATIONITEMRELATIONSHIP": ("RelatingItem",),
    "IFCCONSTRAINTAGGREGATIONRELATIONSHIP": ("RelatingConstraint",),
    "IFCCONSTRAINTCLASSIFICATIONRELATIONSHIP": ("ClassifiedConstraint",),
    "IFCCURRENCYRELATIONSHIP": ("RelatingMonetaryUnit",),
    "IFCDOCUMENTINFORMATIONRELATIONSHIP": ("RelatingDocument",),
    "IFCEXTERNALREFERENCERELATIONSHIP": ("RelatedResourceObjects",),
    "IFCINDEXEDCOLOURMAP": ("MappedTo",),
    "IFCMATERIALCLASSIFICATIONRELATIONSHIP": ("ClassifiedMaterial",),
    "IFCMATERIALDEFINITIONREPRESENTATION": ("RepresentedMaterial",),
    "IFCMATERIALPROPERTIES": ("Material",),
    "IFCMATERIALRELATIONSHIP": ("RelatingMaterial",),
    "IFCPRESENTATIONLAYERASSIGNMENT": ("AssignedItems",),
    "IFCPROFILEPROPERTIES": ("ProfileDefinition",),
    "IFCPROPERTYCONSTRAINTRELATIONSHIP": ("RelatedProperties",),
    "IFCPROPERTYDEPENDENCYRELATIONSHIP": ("DependantProperty",),
    "IFCRESOURCEAPPROVALRELATIONSHIP": ("RelatedResourceObjects",),
    "IFCRESOURCECONSTRAINTRELATIONSHIP": ("RelatedResourceObjects",),
    "IFCSHAPEASPECT": ("PartOfProductDefinitionShape",),
    "IFCSTYLEDITEM": ("Item",),
    "IFCTEXTURECOORDINATE": ("MappedTo",),
}
_PIECE = re.compile(r"'(?:[^']|'')*+'|[(),]|[^'(),]++")
_REFERENCE = re.compile(r"#\d+")


class Notes:
    """The instances laid on others, by what they are laid on; `keywords` are theirs."""

    def __init__(self, step: StepFile, schema: Schema) -> None:
        self._on: dict[str, list[str]] = {}
        self._arguments: dict[str, str] = {}
        self.keywords: list[str] = []
        for keyword, numbers in step.by_keyword.items():
            if (place := _target_of(keyword, schema)) is None:
                continue
            self.keywords.append(keyword)
            for number in numbers:
                self._add(number, split_arguments(step.arguments[number]), place)

    @property
    def targets(self) -> Set[str]:
        """The numbers of what something is laid on."""
        return self._on.keys()

    def on(self, number: str) -> Sequence[str]:
        """Return the numbers of what is laid on an instance."""
        return self._on.get(number, ())

    @property
    def all_arguments(self) -> Mapping[str, str]:
        """What each instance laid on others says, without its targets, by its number."""
        return self._arguments

    def _add(self, number: str, attributes: list[str], place: int) -> None:
        if place >= len(attributes):
            return
        targets = _REFERENCE.findall(attributes[place])
        for target in targets:
            self._on.setdefault(target, []).append(number)
        if targets:
            attributes[place] = ""
            self._arguments[number] = ",".join(attributes)


def split_arguments(text: str) -> list[str]:
    """Return the text of each attribute; `text` lacks the opening bracket."""
    attributes, current, depth = [], "", 0
    for piece in _PIECE.findall(text):
        if piece == "," and not depth:
            attributes.append(current)
            current = ""
            continue
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            break
        current += piece
    return [*attributes, current]


def _target_of(keyword: str, schema: Schema) -> int | None:
    found = schema.of(keyword)
    if found is None:
        return None
    names = next((_TARGETS[kind] for kind in found.kinds if kind in _TARGETS), ())
    return found.index(*names)
