"""Compares a source file with what an iModel holds of it, element by element; writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import (
    SourceElement,
    SourceRelationship,
    clean,
    identifier_candidates,
    read_source,
)
from localtwin.imodel.database import opened
from localtwin.imodel.json_text import json_text
from localtwin.imodel.report import SourceOrder


@dataclass(frozen=True, slots=True)
class Difference:
    """One element or relationship on which file and iModel disagree.

    "missing" is in the file only, "surplus" in the iModel only, "stale" differs. A relationship is
    identified by "class: source -> target".
    """

    source_id: str
    identifier: str
    kind: Literal["missing", "stale", "surplus"]


def differences(imodel_file: Path, source: SourceOrder) -> Iterator[Difference]:
    """Yield every difference between `source` and the iModel; none is the proof that they agree.

    The surplus comes last, in the order of identifiers. Raises ConnectorError if the file can't
    be read.
    """
    with opened(imodel_file) as database:
        held = _held_elements(database, source.source_id)
        held_relationships = _held_relationships(database, source.source_id)
    taken: set[str] = set()
    repeats: dict[str, int] = {}
    related: dict[str, str] = {}
    connector = connector_for(source.connector_type, source.name)
    for item in read_source(connector, source.file, source.name):
        match item:
            case SourceElement():
                identifier = next(
                    each
                    for each in identifier_candidates(item.identifier, repeats)
                    if each not in taken
                )
                taken.add(identifier)
                if kind := _kind(held.pop(identifier, None), item.checksum()):
                    yield Difference(source.source_id, identifier, kind)
            case SourceRelationship(class_name, start, end) if taken >= {clean(start), clean(end)}:
                name = _name(class_name, clean(start), clean(end))
                related.setdefault(name, json_text(item.properties))
    for name, properties in related.items():
        if kind := _kind(held_relationships.pop(name, None), properties):
            yield Difference(source.source_id, name, kind)
    for identifier in (*sorted(held), *sorted(held_relationships)):
        yield Difference(source.source_id, identifier, "surplus")


def _kind(held: str | None, found: str) -> Literal["missing", "stale"] | None:
    if held is None:
        return "missing"
    return None if held == found else "stale"


def _name(class_name: str, start: str, end: str) -> str:
    return f"{class_name}: {start} -> {end}"


def _held_elements(database: apsw.Connection, source_id: str) -> dict[str, str]:
    """Return the checksums by identifier; about 100 bytes an element."""
    rows = database.execute(
        "SELECT Aspect.Identifier, Checksum FROM bis_ExternalSourceAspect AS Aspect"
        " JOIN bis_ExternalSource AS Source ON Source.Id = SourceId WHERE Source.Identifier = ?",
        (source_id,),
    )
    return {str(identifier): str(checksum) for identifier, checksum in rows}


def _held_relationships(database: apsw.Connection, source_id: str) -> dict[str, str]:
    """Return the properties, as JSON, by the name of the relationship."""
    names = dict(
        database.execute(
            "SELECT ElementId, Aspect.Identifier FROM bis_ExternalSourceAspect AS Aspect"
            " JOIN bis_ExternalSource AS Source ON Source.Id = SourceId"
            " WHERE Source.Identifier = ?",
            (source_id,),
        )
    )
    rows = database.execute(
        "SELECT Class.Name, Link.SourceId, TargetId, JsonProperties"
        " FROM bis_ExternalSource AS Source"
        " JOIN bis_ElementRefersToElements AS Link ON ExternalSourceId = Source.Id"
        " JOIN ec_Class AS Class ON Class.Id = ClassId WHERE Source.Identifier = ?",
        (source_id,),
    )
    return {
        _name(str(class_name), str(names[start]), str(names[end])): str(properties)
        for class_name, start, end, properties in rows
    }
