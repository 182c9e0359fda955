"""Writes small IFC models: a site with storeys, and products of simple extruded shapes."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import ifcopenshell
import ifcopenshell.guid

Instance: TypeAlias = Any  # an ifcopenshell.entity_instance, which has no static types
Point: TypeAlias = tuple[float, float, float]
Values: TypeAlias = Mapping[str, str | bool | float]

WRITTEN = "2026-01-05T08:00:00"  # a fixed time stamp, so that the same model is the same bytes


class Author:
    """One IFC4 model in metres; identifiers follow from names, so names must differ."""

    def __init__(self, title: str, building: str, storeys: Mapping[str, float]) -> None:
        self._title = title
        self.model = ifcopenshell.file(schema="IFC4")
        self._context = self._model_context()
        project = self._rooted("IfcProject", title)
        project.RepresentationContexts = [self._context]
        project.UnitsInContext = self._units()
        site = self._rooted("IfcSite", "Site", RefLatitude=(52, 22, 12), RefLongitude=(4, 53, 42))
        house = self._rooted("IfcBuilding", building, ObjectPlacement=self.placement((0, 0, 0)))
        self._storeys = {
            name: self._rooted(
                "IfcBuildingStorey",
                name,
                Elevation=height,
                ObjectPlacement=self.placement((0, 0, height)),
            )
            for name, height in storeys.items()
        }
        for whole, parts in (
            (project, [site]),
            (site, [house]),
            (house, [*self._storeys.values()]),
        ):
            self._rooted(
                "IfcRelAggregates",
                f"Parts of {whole.Name}",
                RelatingObject=whole,
                RelatedObjects=parts,
            )
        self._contained: dict[str, list[Instance]] = {name: [] for name in storeys}
        self._typed: dict[str, list[Instance]] = {}
        self._types: dict[str, Instance] = {}
        self._profiles: dict[tuple[float, float], Instance] = {}
        self._made_of: dict[str, list[Instance]] = {}

    def place(
        self,
        entity: str,
        name: str,
        *,
        storey: str,
        at: Point,
        size: Point,
        kind: str,
        material: str,
        values: Values,
    ) -> Instance:
        """Add a product: a box of `size` metres, standing at `at` relative to its storey."""
        product = self._rooted(
            entity,
            name,
            Tag=name,
            ObjectPlacement=self.placement(at, self._storeys[storey].ObjectPlacement),
            Representation=self._box(size),
        )
        self._contained[storey].append(product)
        self._typed.setdefault(kind, []).append(product)
        self._types.setdefault(
            kind, self._rooted(f"{entity}Type", kind, PredefinedType="NOTDEFINED")
        )
        self._made_of.setdefault(material, []).append(product)
        self._describe(product, f"Pset_{entity.removeprefix('Ifc')}Common", values)
        return product

    def group(self, name: str, members: Sequence[Instance]) -> None:
        """Add a system with `members`."""
        system = self._rooted("IfcSystem", name)
        self._rooted(
            "IfcRelAssignsToGroup",
            f"Members of {name}",
            RelatedObjects=list(members),
            RelatingGroup=system,
        )

    def save(self, file: Path) -> None:
        """Write the model with its relationships."""
        for storey, products in self._contained.items():
            self._relate(
                "IfcRelContainedInSpatialStructure",
                f"Content of {storey}",
                products,
                RelatingStructure=self._storeys[storey],
                members="RelatedElements",
            )
        for kind, products in self._typed.items():
            self._relate(
                "IfcRelDefinesByType", f"Type {kind}", products, RelatingType=self._types[kind]
            )
        for name, products in self._made_of.items():
            material = self.model.create_entity("IfcMaterial", Name=name)
            self._relate(
                "IfcRelAssociatesMaterial", f"Material {name}", products, RelatingMaterial=material
            )
        header = self.model.header.file_name
        header.name = f"{self._title}.ifc"
        header.time_stamp = WRITTEN
        self.model.write(file, ".ifc")

    def placement(self, at: Point, above: Instance | None = None) -> Instance:
        """Return a placement `at` metres from the one `above`."""
        return _placement(self.model, at, above)

    def _relate(
        self,
        entity: str,
        name: str,
        products: list[Instance],
        *,
        members: str = "RelatedObjects",
        **relating: Instance,
    ) -> None:
        if products:
            self._rooted(entity, name, **relating, **{members: products})

    def _rooted(self, entity: str, name: str, **attributes: object) -> Instance:
        global_id = identifier(self._title, f"{entity} {name}")
        return self.model.create_entity(entity, GlobalId=global_id, Name=name, **attributes)

    def _describe(self, product: Instance, name: str, values: Values) -> None:
        create = self.model.create_entity
        properties = [
            create("IfcPropertySingleValue", Name=key, NominalValue=create(_measure(value), value))
            for key, value in values.items()
        ]
        title = f"{name} of {product.Name}"
        sets = self._rooted("IfcPropertySet", title, HasProperties=properties)
        sets.Name = name
        self._rooted(
            "IfcRelDefinesByProperties",
            f"Properties of {product.Name}",
            RelatedObjects=[product],
            RelatingPropertyDefinition=sets,
        )

    def _box(self, size: Point) -> Instance:
        create = self.model.create_entity
        width, depth, height = size
        if (width, depth) not in self._profiles:
            self._profiles[width, depth] = create(
                "IfcRectangleProfileDef", ProfileType="AREA", XDim=width, YDim=depth
            )
        solid = create(
            "IfcExtrudedAreaSolid",
            SweptArea=self._profiles[width, depth],
            ExtrudedDirection=create("IfcDirection", (0.0, 0.0, 1.0)),
            Depth=height,
        )
        body = create("IfcShapeRepresentation", self._context, "Body", "SweptSolid", [solid])
        return create("IfcProductDefinitionShape", Representations=[body])

    def _model_context(self) -> Instance:
        create = self.model.create_entity
        origin = create("IfcAxis2Placement3D", create("IfcCartesianPoint", (0.0, 0.0, 0.0)))
        return create(
            "IfcGeometricRepresentationContext",
            ContextType="Model",
            CoordinateSpaceDimension=3,
            Precision=1e-5,
            WorldCoordinateSystem=origin,
        )

    def _units(self) -> Instance:
        create = self.model.create_entity
        metre = create("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")
        return create("IfcUnitAssignment", Units=[metre])


def identifier(title: str, name: str) -> str:
    """Return the GlobalId of the thing called `name` in the model called `title`."""
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"{title}/{name}")
    return str(ifcopenshell.guid.compress(key.hex))


def moved(model: ifcopenshell.file, product: Instance, by: Point) -> Instance:
    """Return a placement beside that of `product`, in the same storey."""
    old = product.ObjectPlacement
    x, y, z = old.RelativePlacement.Location.Coordinates
    return _placement(model, (x + by[0], y + by[1], z + by[2]), old.PlacementRelTo)


def _placement(model: ifcopenshell.file, at: Point, above: Instance | None) -> Instance:
    point = model.create_entity("IfcCartesianPoint", tuple(float(each) for each in at))
    axes = model.create_entity("IfcAxis2Placement3D", point)
    return model.create_entity("IfcLocalPlacement", above, axes)


def _measure(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "IfcBoolean"
    return "IfcReal" if isinstance(value, float) else "IfcLabel"
