"""An independent reckoning of what an IFC instance belongs to, by ifcopenshell's inverses.

Used as the expectation of generated edits: whoever owns an edited instance must change.
"""

from typing import Any, TypeAlias

Instance: TypeAlias = Any  # an ifcopenshell.entity_instance, which has no static types
Model: TypeAlias = Any

# Instances that point at what they are about, and the attribute that does so.
_ABOUT = {
    "IfcStyledItem": "Item",
    "IfcPresentationLayerAssignment": "AssignedItems",
    "IfcIndexedColourMap": "MappedTo",
    "IfcShapeAspect": "PartOfProductDefinitionShape",
    "IfcMaterialProperties": "Material",
    "IfcMaterialDefinitionRepresentation": "RepresentedMaterial",
    "IfcProfileProperties": "ProfileDefinition",
    "IfcExternalReferenceRelationship": "RelatedResourceObjects",
}


def owners(model: Model, instance: Instance) -> set[str]:
    """Return the GlobalIds of all objects of which the instance is a part.

    What an association itself says is a row's, not an object's.
    """
    if instance.is_a("IfcRelAssociates"):
        return set()
    found: set[str] = set()
    seen: set[int] = set()
    given: set[int] = set()  # objects of which a relationship says something, not their shape
    waiting = [instance]
    while waiting:
        each = waiting.pop()
        if each.id() in seen:
            continue
        seen.add(each.id())
        if each.is_a("IfcOwnerHistory"):
            continue
        if each.is_a("IfcObjectDefinition"):
            found.add(each.GlobalId)
            if each != instance and each.id() not in given:
                found |= _shaped_by(each)
            continue
        if each.is_a("IfcRelationship"):
            objects = _objects_of(each)
            given |= {each.id() for each in objects}
            waiting += objects
            continue
        about = getattr(each, _ABOUT.get(each.is_a(), ""), None)
        waiting += [about] if hasattr(about, "is_a") else (about or [])
        if each.is_a("IfcRepresentationContext") or each.is_a("IfcCoordinateOperation"):
            waiting += model.by_type("IfcProject")
            continue
        waiting += [user for user in model.get_inverse(each) if not _only_about(user, each)]
    return found


def _shaped_by(feature: Instance) -> set[str]:
    """Return the elements out of which an opening is cut."""
    voids = getattr(feature, "VoidsElements", ())
    projects = getattr(feature, "ProjectsElements", ())
    return {each.RelatingBuildingElement.GlobalId for each in voids} | {
        each.RelatingElement.GlobalId for each in projects
    }


def _objects_of(relation: Instance) -> list[Instance]:
    """Return the objects to which a relationship gives what is no object."""
    if relation.is_a("IfcRelDefinesByProperties") or relation.is_a("IfcRelAssociates"):
        return list(relation.RelatedObjects)
    return []


def _only_about(user: Instance, each: Instance) -> bool:
    """Return whether `user` points at an instance from outside, and is no part's owner."""
    about = getattr(user, _ABOUT.get(user.is_a(), ""), None)
    return about == each or (isinstance(about, tuple) and each in about)
