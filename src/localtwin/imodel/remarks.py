"""Sentences for the run's report that follow from the counts of one source."""

from collections.abc import Iterator
from fractions import Fraction

from localtwin.imodel.tally import Tally

LOSS_LIMIT = Fraction(1, 5)  # a smaller part of a file is deleted in everyday work


def loss_remarks(tally: Tally) -> Iterator[str]:
    """Yield a sentence if the file lost all its objects, or a fifth of them or more.

    Definitions count only where there is nothing else: an emptied drawing keeps its layers.
    """
    deleted, before, after = tally.content_deleted, tally.content_before, tally.content_after
    if not before:
        deleted, before, after = tally.elements.deleted, tally.before, tally.after
    if not before or deleted < before * LOSS_LIMIT:
        return
    if after == 0:
        yield (
            f"The file has no objects any more; it had {before:,}. If that is not intended, restore"
            " the file and synchronize again."
        )
    else:
        yield (
            f"{deleted:,} of {before:,} objects ({_percent(deleted, before)}) are no longer in the"
            f" file; it has {after:,} now."
        )


def relationship_remarks(tally: Tally) -> Iterator[str]:
    """Yield a sentence if relationships were left out."""
    if tally.unresolved:
        noun = "relationship was" if tally.unresolved == 1 else "relationships were"
        yield (
            f"{tally.unresolved:,} {noun} left out, because the file lacks an object that it names."
        )


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 // whole} %"
