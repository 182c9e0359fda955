"""What the commands on iModels print: versions, contents, and the difference of a changeset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..runtime.formatting import count, size

if TYPE_CHECKING:
    from localtwin.connectors.source import Json
    from localtwin.imodel.contents import ClassCount
    from localtwin.imodel.difference import Difference, ElementChange
    from localtwin.imodel.history import Version

MARKS: Final = {"inserted": "+", "updated": "~", "deleted": "-"}
_VALUE_MAX = 200  # characters; the whole of a long value is in --json


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines with aligned columns; the first row has the titles."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def versions_text(versions: Iterable[Version]) -> Iterator[str]:
    """Yield a line for each version: what its changeset did, and of which file."""
    yield from table(
        [
            ("version", "written (UTC)", "inserted", "updated", "deleted", "size", "file"),
            *(
                (
                    str(each.number),
                    _moment(each.written),
                    f"{each.report.inserted:,}",
                    f"{each.report.updated:,}",
                    f"{each.report.deleted:,}",
                    size(each.report.size_bytes),
                    each.source,
                )
                for each in versions
            ),
        ]
    )


def contents_text(counts: Sequence[ClassCount], relationships: int) -> Iterator[str]:
    """Yield the elements by file, model and class."""
    last: tuple[str, str] | None = None
    for each in counts:
        if (each.source, each.model) != last:
            last = each.source, each.model
            total = sum(other.elements for other in counts if (other.source, other.model) == last)
            model = each.model.removeprefix("BisCore:")
            yield f"{each.source}, {model}: {count(total, 'element')}"
        yield f"    {each.elements:>9,}  {each.class_name}"
    yield count(relationships, "relationship")


def difference_text(version: Version, found: Difference) -> Iterator[str]:
    """Yield what a changeset changed, element by element and property by property."""
    yield f"version {version.number}: {version.source}, written {_moment(version.written)} UTC"
    yield f"elements: {_counts(found.counts)}"
    if any(found.relationship_counts.values()):
        yield f"relationships: {_counts(found.relationship_counts)}"
    for sentence in (*found.sources, *found.schema):
        yield f"* {sentence}"
    for each in found.elements:
        yield from _element_text(each)
    for link in found.relationships:
        yield f"{MARKS[link.kind]} {link.class_name}: {link.start} -> {link.end}"
    left_out = sum(found.counts.values()) - len(found.elements)
    left_out += sum(found.relationship_counts.values()) - len(found.relationships)
    if left_out:
        yield f"({left_out:,} more; --limit shows more, --json has whole values)"


def difference_json(version: Version, found: Difference) -> str:
    """Return the same as JSON, with whole values."""
    value: dict[str, Any] = {
        "version": version.number,
        "changeset": version.report.id,
        "file": version.source,
        "written": version.written,
        "counts": found.counts,
        "relationshipCounts": found.relationship_counts,
        "sources": found.sources,
        "schema": found.schema,
        "elements": [
            {
                "kind": each.kind,
                "id": each.element.id,
                "identifier": each.element.identifier,
                "class": each.element.class_name,
                "label": each.element.label,
                "properties": [change._asdict() for change in each.properties()],
            }
            for each in found.elements
        ],
        "relationships": [each._asdict() for each in found.relationships],
    }
    return json.dumps(value, ensure_ascii=False, indent=2)


def _element_text(change: ElementChange) -> Iterator[str]:
    held = change.element
    label = f' "{held.label}"' if held.label else ""
    yield f"{MARKS[change.kind]} {held.class_name} {held.identifier}{label}"
    for name, old, new in change.properties():
        if change.kind != "updated":
            if name not in ("class", "label"):
                yield f"    {name}: {_value(new if change.kind == 'inserted' else old)}"
        else:
            yield f"    {name}: {_value(old)} -> {_value(new)}"


def _value(value: Json) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}..."


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items())


def _moment(written: str) -> str:
    return written[:19].replace("T", " ") or "(not recorded)"
