"""The connectors for tables: the rows of CSV, Excel and JSON files as elements.

Each sheet is an element that is the parent of its rows; the columns give the schema. Their order
is a view of the table, and no content.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localtwin.connectors.record_keys import Key, Records, find_key, label_of
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Connector, Json, Partition, SourceElement, SourceItem

SHEET_CLASS = "TableDefinitions:Sheet"


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a file; `records` reads its rows from the start each time it is called."""

    name: str
    columns: Sequence[str]
    records: Records
    properties: Mapping[str, Json] = field(default_factory=dict)


class TablesConnector(Connector):
    """What the connectors for tables share: from a table to elements."""

    name = "Tables"
    version = "3"

    def __init__(self) -> None:
        self._remarks: list[str] = []

    @abstractmethod
    def tables(self, file: Path) -> Iterator[Table]:
        """Yield the tables of the file in its order; raises ConnectorError on a broken file."""

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield each sheet, then its rows."""
        self._remarks = []
        for table in self.tables(file):
            yield from self._elements(table)

    def remarks(self) -> Sequence[str]:
        """Return what identifies the rows of each sheet, and what was left out."""
        return tuple(self._remarks)

    def remark(self, sentence: str) -> None:
        """Add a sentence to the remarks."""
        self._remarks.append(sentence)

    def _elements(self, table: Table) -> Iterator[SourceElement]:
        sheet = f"sheet {table.name}"
        yield SourceElement(
            identifier=sheet,
            class_name=SHEET_CLASS,
            partition=Partition.INFORMATION,
            label=table.name,
            properties={"columns": sorted(table.columns), **table.properties},
        )
        key = find_key(table.columns, table.records)
        class_name = f"Tables:{table.name.strip('{}') or 'Row'}"
        count = 0
        for record in table.records():
            count += 1
            value = key.value(record)
            yield SourceElement(
                identifier=f"{table.name}/{key.identifier(record)}",
                class_name=class_name,
                partition=Partition.INFORMATION,
                label=label_of(record, value),
                code=value,
                parent=sheet,
                properties=record,
            )
        self.remark(_identity(table, key, count))


def _identity(table: Table, key: Key, count: int) -> str:
    rows = f"{counted(count, 'row')} of {table.name}"
    if key.name is None:
        return f"{rows} read; no column identifies them, so an edited row is a new one."
    repeats = f", of which {len(key.repeated):,} are repeated" if key.repeated else ""
    return f"{rows} read, identified by the column {key.name}{repeats}."
