"""Sentences for a run's report: how many of what were kept, reduced or left out."""

from collections import Counter

NAMES_MAX = 12  # a drawing seldom has more types that are not drawn


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return the count with its noun, as in "3 lines"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def named_counts(counts: Counter[str], noun: str, plural: str) -> str:
    """Return a total with how many have which name, as in "3 entities (2 HATCH, 1 LIGHT)"."""
    names = [f"{count:,} {name}" for name, count in counts.most_common(NAMES_MAX)]
    if len(counts) == 1:
        names = list(counts)
    if (more := len(counts) - len(names)) > 0:
        names.append(f"and {more} more types")
    return f"{counted(counts.total(), noun, plural)} ({', '.join(names)})"
