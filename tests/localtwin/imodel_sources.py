"""Sources without a file: what a connector could yield, for tests of the iModel alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imodel_scene import Row

from localtwin.connectors.source import (
    Connector,
    Drawn,
    Extent,
    Json,
    Partition,
    SourceElement,
    SourceItem,
    SourceRelationship,
    unreadable,
)
from localtwin.imodel.changeset import recording, write_changeset
from localtwin.imodel.database import create_imodel, opened, transaction
from localtwin.imodel.synchronizer import Origin, Synchronizer
from localtwin.imodel.tally import Tally


@dataclass
class Model:
    """An iModel in `folder`, and the changesets written so far."""

    folder: Path
    changesets: list[Path] = field(default_factory=list)
    syncs: int = 0

    def __post_init__(self) -> None:
        create_imodel(self.file)

    @property
    def file(self) -> Path:
        return self.folder / "model.bim"

    def sync(self, *items: SourceItem, name: str = "one", version: str = "1") -> Tally:
        """Bring the source `name` to `items`; a changeset is kept if one came of it."""
        self.syncs += 1
        with opened(self.file) as base, transaction(base), recording(base) as recorded:
            origin = Origin(name, name, "Test", version, f"digest {self.syncs}")
            tally = Synchronizer(base, recorded.flush).bridge(origin, items)
            changeset_id, _ = write_changeset(recorded, self.folder, "")
        if changeset_id:
            self.changesets.append(self.folder / changeset_id)
        return tally

    def rows(self, query: str) -> list[Row]:
        with opened(self.file) as database:
            return list(database.execute(query))

    def relationships(self) -> list[Row]:
        """Return (class, source, target, properties) of every relationship, by identifiers."""
        return self.rows(
            "SELECT Class.Name, Start.Identifier, Finish.Identifier, JsonProperties"
            " FROM bis_ElementRefersToElements AS Link"
            " JOIN ec_Class AS Class ON Class.Id = Link.ClassId"
            " JOIN bis_ExternalSourceAspect AS Start ON Start.ElementId = Link.SourceId"
            " JOIN bis_ExternalSourceAspect AS Finish ON Finish.ElementId = Link.TargetId"
            " ORDER BY 1, 2, 3"
        )


class LinesConnector(Connector):
    """Reads a text: each line is an element, identified by what it says."""

    name = "Lines"
    version = "1"

    def __init__(self) -> None:
        self._lines: list[str] = []

    def read(self, file: Path) -> Iterator[SourceItem]:
        self._lines = file.read_text("utf-8").split()
        yield from map(element, self._lines)

    def remarks(self) -> tuple[str, ...]:
        return (f"{len(self._lines)} lines read.",)


class PairsConnector(Connector):
    """Reads lines of two names and a number: elements a and b, and relationships between them."""

    name = "Pairs"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceItem]:
        yield from map(element, "ab")
        for line in file.read_text("utf-8").splitlines():
            start, end, number = line.split()
            yield link(start, end, number=int(number))


class FailingConnector(Connector):
    """Reads a few elements and relationships, then finds the file broken."""

    name = "Failing"
    version = "1"

    def read(self, file: Path) -> Iterator[SourceItem]:
        yield from (element("a", size=1), element("b"), link("a", "b"))
        raise unreadable(f"{file.name} ends in the middle.")


def element(
    identifier: str,
    *,
    class_name: str = "Test:Beam",
    partition: Partition = Partition.PHYSICAL,
    parent: str | None = None,
    outline: Iterable[Iterable[tuple[float, float]]] = (),
    placement: tuple[float, ...] | None = None,
    extent: Extent | None = None,
    shape: str = "",
    drawn: Drawn = Drawn.STATED,
    label: str = "",
    sheet: str = "",
    **properties: Json,
) -> SourceElement:
    return SourceElement(
        identifier=identifier,
        class_name=class_name,
        partition=partition,
        label=label,
        parent=parent,
        properties=properties,
        outline=tuple(tuple(line) for line in outline),
        placement=placement,
        extent=extent,
        shape=shape,
        drawn=drawn,
        sheet=sheet,
    )


def link(source: str, target: str, name: str = "Test:Holds", **properties: Json) -> SourceItem:
    return SourceRelationship(name, source, target, properties or None)
