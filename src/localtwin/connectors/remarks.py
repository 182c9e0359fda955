"""Sentences for a run's report: how many of what were kept, reduced or left out."""

from collections import Counter

NAMES_MAX = 5


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return the count with its noun, as in "3 lines"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def named_counts(counts: Counter[str], noun: str, plural: str) -> str:
    """Return a total with its most frequent names, as in "3 entities (HATCH, LIGHT)"."""
    names = [name for name, _ in counts.most_common(NAMES_MAX)]
    if len(counts) > NAMES_MAX:
        names.append("…")
    return f"{counted(counts.total(), noun, plural)} ({', '.join(names)})"
