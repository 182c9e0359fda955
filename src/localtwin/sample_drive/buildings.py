"""The IFC models of the sample drive, and the edit a designer makes in one of them."""

from itertools import product
from pathlib import Path

import ifcopenshell

from localtwin.sample_drive.ifc_author import Author, Instance, identifier, moved

SPAN_M = 8.0
WIDTH_M = 6.0
RENAMED_BEAMS = ("Beam B-01", "Beam B-02")


def steel(title: str, file: Path) -> None:
    """Write the steel of the bridge: columns, main and cross beams, deck plates."""
    author = Author(title, "Bridge 12", {"Supports": 0.0, "Deck": 6.5})
    for number, (axis, side) in enumerate(product(range(5), range(2)), start=1):
        author.place(
            "IfcColumn",
            f"Column C-{number:02}",
            storey="Supports",
            at=(axis * SPAN_M, side * WIDTH_M, 0.0),
            size=(0.4, 0.4, 6.5),
            kind="HEB 400",
            material="S355J2",
            values={"Reference": "HEB 400", "LoadBearing": True, "IsExternal": True},
        )
    for number, (axis, side) in enumerate(product(range(4), range(3)), start=1):
        author.place(
            "IfcBeam",
            f"Beam B-{number:02}",
            storey="Deck",
            at=(axis * SPAN_M, side * WIDTH_M / 2, 0.0),
            size=(SPAN_M, 0.3, 0.6),
            kind="HEA 600",
            material="S355J2",
            values={"Reference": "HEA 600", "LoadBearing": True, "Span": SPAN_M},
        )
    for number, (axis, side) in enumerate(product(range(4), range(2)), start=1):
        author.place(
            "IfcSlab",
            f"Deck plate D-{number:02}",
            storey="Deck",
            at=(axis * SPAN_M, side * WIDTH_M / 2, 0.6),
            size=(SPAN_M, WIDTH_M / 2, 0.02),
            kind="Plate 20",
            material="S355J2",
            values={"Reference": "PL 20", "LoadBearing": True, "PitchAngle": 0.0},
        )
    author.save(file)


def foundations(title: str, file: Path) -> None:
    """Write the concrete under the bridge: footings on piles."""
    author = Author(title, "Bridge 12", {"Foundation": -2.0})
    for axis, side in product(range(5), range(2)):
        number = axis * 2 + side + 1
        author.place(
            "IfcFooting",
            f"Footing F-{number:02}",
            storey="Foundation",
            at=(axis * SPAN_M, side * WIDTH_M, 0.0),
            size=(2.4, 2.4, 0.8),
            kind="Pad footing 2400",
            material="C30/37",
            values={"Reference": "F 2400", "LoadBearing": True},
        )
        for pile in range(4):
            author.place(
                "IfcPile",
                f"Pile P-{number:02}.{pile + 1}",
                storey="Foundation",
                at=(axis * SPAN_M + pile % 2, side * WIDTH_M + pile // 2, -12.0),
                size=(0.32, 0.32, 12.0),
                kind="Prefab 320",
                material="C50/60",
                values={"Reference": "320x320", "LoadBearing": True},
            )
    author.save(file)


def control_building(title: str, file: Path) -> None:
    """Write the bridge keeper's building: walls, windows, a door, a roof on two floors."""
    author = Author(title, "Control building", {"Ground floor": 0.0, "Control room": 3.2})
    for storey, side in product(("Ground floor", "Control room"), range(4)):
        author.place(
            "IfcWall",
            f"Wall {storey} {'NESW'[side]}",
            storey=storey,
            at=(side % 2 * 5.0, side // 2 * 4.0, 0.0),
            size=(5.0, 0.3, 3.0),
            kind="Brick cavity wall",
            material="Brick",
            values={"IsExternal": True, "FireRating": "60", "ThermalTransmittance": 0.22},
        )
        author.place(
            "IfcWindow",
            f"Window {storey} {'NESW'[side]}",
            storey=storey,
            at=(side % 2 * 5.0 + 1.5, side // 2 * 4.0, 1.0),
            size=(2.0, 0.1, 1.4),
            kind="Triple glazing",
            material="Aluminium",
            values={"IsExternal": True, "ThermalTransmittance": 0.8},
        )
    author.place(
        "IfcDoor",
        "Entrance",
        storey="Ground floor",
        at=(0.5, 0.0, 0.0),
        size=(1.0, 0.1, 2.3),
        kind="Steel door",
        material="Steel",
        values={"FireRating": "60", "IsExternal": True},
    )
    author.place(
        "IfcSlab",
        "Roof",
        storey="Control room",
        at=(0.0, 0.0, 3.0),
        size=(5.6, 4.6, 0.25),
        kind="Timber roof",
        material="Cross laminated timber",
        values={"IsExternal": True, "PitchAngle": 2.0},
    )
    author.save(file)


def ventilation(title: str, file: Path) -> None:
    """Write the ducts of the control building, as one system."""
    author = Author(title, "Control building", {"Control room": 3.2})
    ducts = [
        author.place(
            "IfcDuctSegment",
            f"Duct S-{number:02}",
            storey="Control room",
            at=(0.5 * number, 1.0, 2.6),
            size=(0.5, 0.25, 0.25),
            kind="Duct 250x250",
            material="Galvanised steel",
            values={"Shape": "RECTANGULAR", "NominalDiameter": 0.25},
        )
        for number in range(1, 9)
    ]
    author.group("Supply air", ducts)
    author.save(file)


def edit_steel(file: Path, target: Path) -> None:
    """Add a column, give two beams their next revision letter, remove the last deck plate."""
    model = ifcopenshell.open(file, ".ifc")
    _remove(model, max(model.by_type("IfcSlab"), key=lambda plate: str(plate.Name)))
    columns = model.by_type("IfcColumn")
    name = f"Column C-{len(columns) + 1:02}"
    first = next(column for column in columns if column.Name == "Column C-01")
    offset = SPAN_M * (len(columns) // 2)
    added = model.create_entity(
        "IfcColumn",
        GlobalId=identifier(file.stem, f"IfcColumn {name}"),
        Name=name,
        Tag=name,
        ObjectPlacement=moved(model, first, (offset, 0.0, 0.0)),
        Representation=first.Representation,
    )
    (content,) = first.ContainedInStructure
    content.RelatedElements = [*content.RelatedElements, added]
    for relation in (*first.IsTypedBy, *first.HasAssociations, *first.IsDefinedBy):
        relation.RelatedObjects = [*relation.RelatedObjects, added]
    for beam in model.by_type("IfcBeam"):
        base, _, revision = beam.Name.partition(" rev ")
        if base in RENAMED_BEAMS:
            beam.Name = f"{base} rev {chr(ord(revision or 'A') + 1)}"
    model.write(target, ".ifc")


def _remove(model: Instance, product: Instance) -> None:
    """Take a product out of the model and of all that relates it to others."""
    relations = (
        *((each, "RelatedElements") for each in product.ContainedInStructure),
        *((each, "RelatedObjects") for each in product.IsTypedBy),
        *((each, "RelatedObjects") for each in product.HasAssociations),
        *((each, "RelatedObjects") for each in product.IsDefinedBy),
    )
    for relation, members in relations:
        others = [each for each in getattr(relation, members) if each != product]
        if others:
            setattr(relation, members, others)
        else:
            model.remove(relation)
    model.remove(product)
