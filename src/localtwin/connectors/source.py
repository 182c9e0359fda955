"""What a connector yields: elements and relationships of a source file, or why there are none."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, TypeAlias

CHECKSUM_BYTES = 16  # only has to detect changes, not attacks
_READ_BYTES = 1 << 20

_CHECKED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=dict)

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Outline: TypeAlias = Sequence[Sequence[tuple[float, float]]]


class Partition(Enum):
    """The model of a source that an element belongs to; the value is the model's class."""

    DEFINITION = "BisCore:DefinitionModel"
    PHYSICAL = "BisCore:PhysicalModel"
    SHEET = "BisCore:SheetModel"
    INFORMATION = "BisCore:InformationRecordModel"  # rows and documents, which have no place


@dataclass(frozen=True, slots=True)
class Extent:
    """An axis-aligned box in the units of the source file; flat in z for plane content."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


class Drawn(Enum):
    """Where extent and outline of an element come from.

    Those that a source does not state follow from shape and placement, and take long to compute:
    HELD ones are those that the iModel has, which the element leaves out, BUILT ones were computed
    anew, which may have found nothing, and UNKNOWN ones were not computed.
    """

    STATED = "stated"
    HELD = "held"
    BUILT = "built"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceElement:
    """One element of a source file.

    `identifier` is the permanent name of the element in the source (an IFC GlobalId, a DXF
    handle). `parent`, `category` and `type_definition` are identifiers of
    the same source.
    `shape` is a digest of the geometry, so that a changed shape is a changed element.
    `outline` is a simplified plan of it: polylines in the XY plane, in the units of the source.
    It is for drawing only and not part of the checksum, so it must follow from what is.
    `placement` is a 3x4 matrix, row by row, rounded to the precision of the file.
    `sheet` names the sheet or layout that a SHEET element lies on; each is a model of its own.
    An extent that is not STATED is no part of the checksum either: shape and placement are.
    """

    identifier: str
    class_name: str
    partition: Partition
    label: str = ""
    code: str = ""
    parent: str | None = None
    category: str | None = None
    type_definition: str | None = None
    properties: Mapping[str, Json] | None = None
    extent: Extent | None = None
    shape: str = ""
    outline: Outline = ()
    placement: tuple[float, ...] | None = None
    drawn: Drawn = Drawn.STATED
    sheet: str = ""

    def checksum(self) -> str:
        """Return a digest of the content, independent of how the file is laid out."""
        extent = None
        if self.extent and self.drawn is Drawn.STATED:
            extent = [*self.extent.low, *self.extent.high]
        stated: list[object] = [
            self.class_name,
            self.partition.value,
            self.label,
            self.code,
            self.parent,
            self.category,
            self.type_definition,
            self.properties,
            extent,
            self.shape,
        ]
        if self.placement is not None:
            stated.append(self.placement)
        if self.sheet:
            stated.append(["sheet", self.sheet])
        text = _CHECKED.encode(stated)
        return blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=CHECKSUM_BYTES
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceRelationship:
    """A relationship between two elements of the same source file.

    `class_name` is "Schema:Class". `source` and `target` are identifiers of elements. These
    three identify the relationship; one that is repeated counts once.
    """

    class_name: str
    source: str
    target: str
    properties: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Elements that are as the last reading of this source found them, by identifier.

    With `and_relationships`, so are all relationships of the source.
    """

    identifiers: Sequence[str]
    and_relationships: bool = False


SourceItem: TypeAlias = SourceElement | SourceRelationship | Unchanged


class HeldShapes(Protocol):
    """What the iModel holds of a source's shapes."""

    def has_extent(
        self, identifier: str, shape: str, placement: tuple[float, ...] | None
    ) -> bool | None:
        """Return whether an element was found to have an extent when it was last built.

        None if it was never built with that shape in that place.
        """


class Connector(Protocol):
    """Reads one family of formats.

    A new `version` means that the same bytes may now yield other elements, so unchanged files
    are read again.
    """

    @property
    def name(self) -> str:
        """The name that the iModel records beside what this connector wrote."""

    @property
    def version(self) -> str:
        """The edition of this connector's reading."""

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield every element and relationship of `file`, each after the elements that it names.

        Raises ConnectorError when the file can't be read completely; the caller must then
        discard what was yielded before.
        """

    def build_shapes(self, held: HeldShapes) -> None:
        """Have `read` compute extents and outlines that take long, where `held` lacks them.

        Without this, `read` leaves them out. Most connectors have none that take long.
        """
        del held

    def place_in(self, coordinate_system: str) -> None:
        """Have `read` give coordinates in the iModel's system, such as "EPSG:2056"; "" for none.

        Only formats that name a system of their own can follow.
        """
        del coordinate_system

    def resume(self, memory: bytes) -> None:
        """Have `read` leave out what did not change since the reading that left `memory`.

        The iModel must hold what that reading found. Most connectors read everything anyway.
        """
        del memory

    def memory(self) -> bytes:
        """Return what `resume` needs after the last `read`; empty if nothing is to be kept."""
        return b""

    def remarks(self) -> Sequence[str]:
        """Return what the last `read` kept, reduced or left out, once it is exhausted.

        Each is one sentence for the run's report: "3 entities of unknown type kept as raw tags."
        """
        return ()


@dataclass(slots=True, eq=False)
class ConnectorError(Exception):
    """A source file can't be read: `message` gives the reason, `description` what to do."""

    code: str
    message: str
    description: str
    category: str
    can_user_fix: bool

    def __str__(self) -> str:
        """Return the code and the message."""
        return f"{self.code}: {self.message}"


def unreadable(message: str, *, code: str = "FileUnreadable") -> ConnectorError:
    """Return the error of a file that its author has to mend or save again."""
    return ConnectorError(
        code=code,
        message=message,
        description="Open the file in the application that made it, check it and save it again.",
        category="source_file",
        can_user_fix=True,
    )


def read_source(connector: Connector, file: Path, name: str) -> Iterator[SourceItem]:
    """Yield what `connector` reads of `file`; any exception of its library is the file's error.

    `name` is what people call the file. Raises ConnectorError only.
    """
    try:
        _refuse_zeros(file)
        yield from connector.read(file)
    except ConnectorError:
        raise
    except Exception as exc:
        # A parser may raise anything on a broken file; the other files of the run must go on.
        reason = str(exc) or type(exc).__name__
        raise unreadable(f"{name} can't be read: {reason}") from exc


def _refuse_zeros(file: Path) -> None:
    """Raise ConnectorError if a file has its size, but nothing was written into it."""
    with file.open("rb") as data:
        if data.peek(1)[:1] != b"\0":
            return
        while chunk := data.read(_READ_BYTES):
            if chunk.count(0) < len(chunk):
                return
    error = unreadable("The file holds nothing but zero bytes.", code="FileIncomplete")
    error.description = (
        "It was not written completely, as after a crash or a full drive. Save it again in the"
        " application that made it, or restore it from a backup."
    )
    raise error


def identifier_candidates(identifier: str, repeats: dict[str, int]) -> Iterator[str]:
    """Yield the identifier, then numbered ones, until the caller finds one that is free.

    A repeated identifier gets its number as a suffix: the file is wrong, its elements are not.
    `repeats` carries the last number given from call to call, so a thousand repeats stay cheap.
    """
    wanted = clean(identifier)
    yield wanted
    while True:
        repeats[wanted] = repeats.get(wanted, 1) + 1
        yield f"{wanted}~{repeats[wanted]}"


def clean(text: str) -> str:
    """Return `text` with what no encoding can hold replaced, such as bytes of a wrong code page."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
