"""Compares a source file with what an iModel holds of it, element by element; writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw

from localtwin.connectors.registry import connector_for
from localtwin.connectors.source import read_source, with_unique_identifiers
from localtwin.imodel.report import SourceOrder
from localtwin.imodel.schema import opened


@dataclass(frozen=True, slots=True)
class Difference:
    """One element on which file and iModel disagree.

    "missing" is in the file only, "surplus" in the iModel only, "stale" differs.
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
        held = _held(database, source.source_id)
    connector = connector_for(source.connector_type, source.name)
    elements = read_source(connector, source.file, source.name)
    for identifier, element in with_unique_identifiers(elements):
        checksum = held.pop(identifier, None)
        if checksum is None:
            yield Difference(source.source_id, identifier, "missing")
        elif checksum != element.checksum():
            yield Difference(source.source_id, identifier, "stale")
    for identifier in sorted(held):
        yield Difference(source.source_id, identifier, "surplus")


def _held(database: apsw.Connection, source_id: str) -> dict[str, str]:
    """Return the checksums by identifier; about 100 bytes an element."""
    rows = database.execute(
        "SELECT Aspect.Identifier, Checksum FROM bis_ExternalSourceAspect AS Aspect"
        " JOIN bis_ExternalSource AS Source ON Source.Id = SourceId WHERE Source.Identifier = ?",
        (source_id,),
    )
    return {str(identifier): str(checksum) for identifier, checksum in rows}
