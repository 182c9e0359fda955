"""What to say of drawings that name files which are missing, or which no pattern takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..core.references import DrawingReferences
from ..journal.drawing_references import OpenReferences
from .formatting import count, some_of

NAMES_MAX: Final = 3  # of one drawing


def open_references(found: OpenReferences) -> str:
    """Return which drawings need which files that Storage will not have."""
    drawings = f"{count(found.count, 'file')} name{'s' if found.count == 1 else ''}"
    named = "; ".join(line for each in found.examples for line in _lines(each))
    more = f"; and {found.count - len(found.examples):,} more files" if more_than(found) else ""
    return f"{drawings} others that are missing or not taken: {named}{more}"


def advice(found: OpenReferences) -> str:
    """Return what a person does about them."""
    steps = []
    if any(each.missing for each in found.examples):
        steps.append("copy what is missing into the source's folder, or detach it")
    untaken = [one.path for each in found.examples for one in each.not_taken]
    if untaken:
        # Never a pattern for all of a kind: drawings that references take are no source files.
        paths = [f'"{path}"' for path in dict.fromkeys(untaken)]
        shown = ", ".join([*paths[:NAMES_MAX], *(["..."] if len(paths) > NAMES_MAX else [])])
        steps.append(f"let the source take what is there: references = [{shown}]")
    return "; ".join(steps) or "see: twinsyncd explain PATH"


def more_than(found: OpenReferences) -> bool:
    """Return whether there are more than the examples."""
    return found.count > len(found.examples)


def _lines(each: DrawingReferences) -> Iterator[str]:
    for what, references in (("misses", each.missing), ("needs", each.not_taken)):
        if references:
            named = [one.path or one.written for one in references[:NAMES_MAX]]
            untaken = ", which no pattern takes" if what == "needs" else ""
            yield f"{each.path} {what} {some_of(named, len(references))}{untaken}"
