"""Counts of what one source changed in the iModel."""

from dataclasses import dataclass, field

from localtwin.connectors.source import Partition
from localtwin.imodel.report import Changes

CHANGES_OF = {
    Partition.DEFINITION: Changes.DEFINITION,
    Partition.PHYSICAL: Changes.SPATIAL_DATA,
    Partition.SHEET: Changes.SHEETS_AND_DRAWINGS,
    Partition.INFORMATION: Changes.DEFINITION,  # the nearest of the kinds that the API knows
}
CHANGES_OF_MODEL = {partition.value: changes for partition, changes in CHANGES_OF.items()}


@dataclass(slots=True)
class Counts:
    """Rows of one kind that were written."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(slots=True)
class Tally:
    """Elements and relationships written so far, and the kinds of content touched.

    `before` and `after` are the numbers of elements the iModel holds of the source. Those of
    `content_…` are no definitions: objects with a place, rows and documents. `unresolved` counts
    relationships that were left out because the file lacks one of their elements.
    `coordinate_system` is the id of the first one that an element names, "" if none does.
    """

    elements: Counts = field(default_factory=Counts)
    relationships: Counts = field(default_factory=Counts)
    before: int = 0
    after: int = 0
    content_before: int = 0
    content_deleted: int = 0
    content_after: int = 0
    unresolved: int = 0
    coordinate_system: str = ""
    changes: Changes = Changes.NONE
