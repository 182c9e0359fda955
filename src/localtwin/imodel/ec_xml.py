"""Writes the EC schemas of an iModel as ECSchema XML.

Source: iTwin.js documentation, "ECSchema XML", version 3.2, read 2026-11.
"""

from collections.abc import Iterator
from typing import cast
from xml.etree import ElementTree as ET

import apsw

from localtwin.imodel.classes import BIS_CORE, RELATIONSHIP, STRUCT
from localtwin.imodel.ec_names import ec_name

NAMESPACE = "http://www.bentley.com/schemas/Bentley.ECXML.3.2"
BIS_CORE_VERSION = "01.00.00"  # the oldest that has every class referred to
_ELEMENTS = {
    "Entity": "ECEntityClass",
    RELATIONSHIP: "ECRelationshipClass",
    STRUCT: "ECStructClass",
}


def schema_versions(database: apsw.Connection) -> list[tuple[str, str]]:
    """Return the name and version of each schema that came from sources."""
    rows = database.execute(
        "SELECT Name, printf('%02d.%02d.%02d', VersionRead, VersionWrite, VersionMinor)"
        " FROM ec_Schema ORDER BY 1"
    )
    return [(str(name), str(version)) for name, version in rows]


def schema_xml(database: apsw.Connection, name: str) -> bytes:
    """Return the schema called `name` as XML in UTF-8; raises KeyError if there is none."""
    row = database.execute("SELECT * FROM ec_Schema WHERE Name = ?", (name,)).fetchone()
    if row is None:
        raise KeyError(name)
    root = _root(*row)
    for element in _classes(database, row[0]):
        root.append(element)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _root(_: int, name: str, alias: str, read: int, write: int, minor: int) -> ET.Element:
    root = ET.Element("ECSchema", xmlns=NAMESPACE)
    valid = ec_name(name)
    root.attrib |= {
        "schemaName": valid,
        "alias": alias,
        "version": f"{read:02}.{write:02}.{minor:02}",
        **({"displayLabel": name} if valid != name else {}),
    }
    ET.SubElement(root, "ECSchemaReference", name=BIS_CORE, version=BIS_CORE_VERSION, alias="bis")
    return root


def _classes(database: apsw.Connection, schema: int) -> Iterator[ET.Element]:
    """Yield structs first, since a class must come after the structs it uses."""
    rows = database.execute(
        "SELECT Id, Name, ECName, Kind, BaseClass FROM ec_Class"
        " WHERE SchemaId = ? AND Kind NOT NULL ORDER BY Kind != 'Struct', ECName",
        (schema,),
    ).fetchall()
    for class_id, name, valid, kind, base in cast("list[tuple[int, str, str, str, str]]", rows):
        element = ET.Element(_ELEMENTS[kind], typeName=valid, modifier="None")
        label = name.partition(":")[2] or name
        if kind != STRUCT and label != valid:
            element.set("displayLabel", label)
        if kind == RELATIONSHIP:
            element.attrib |= {"strength": "referencing", "strengthDirection": "forward"}
        if base is not None:
            ET.SubElement(element, "BaseClass").text = base.replace(f"{BIS_CORE}:", "bis:")
        for each in _properties(database, class_id):
            element.append(each)
        if kind == RELATIONSHIP:
            _add_constraints(element)
        yield element


def _properties(database: apsw.Connection, class_id: int) -> Iterator[ET.Element]:
    rows = database.execute(
        "SELECT ec_Property.Name, ec_Property.ECName, Type, IsArray, Struct.ECName"
        " FROM ec_Property LEFT JOIN ec_Class AS Struct ON Struct.Id = StructId"
        " WHERE ClassId = ? ORDER BY ec_Property.Name",
        (class_id,),
    )
    for name, valid, kind, is_array, struct in cast("list[tuple[str, str, str, int, str]]", rows):
        tag = "ECArrayProperty" if is_array else "ECProperty"
        element = ET.Element("ECStructProperty" if struct else tag, propertyName=valid)
        element.set("typeName", struct or ("string" if kind == "json" else kind))
        if kind == "json":
            element.set("extendedTypeName", "Json")
        if is_array:
            element.attrib |= {"minOccurs": "0", "maxOccurs": "unbounded"}
        if name != valid:
            element.set("displayLabel", name)
        yield element


def _add_constraints(element: ET.Element) -> None:
    for end, label in (("Source", "refers to"), ("Target", "is referred to by")):
        constraint = ET.SubElement(element, end, multiplicity="(0..*)", roleLabel=label)
        constraint.set("polymorphic", "true")
        ET.SubElement(constraint, "Class").set("class", "bis:Element")
