"""Says why a pattern matches no file that counts, and what its writer probably meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from .match import Matcher, Pattern

ENDINGS_MAX: Final = 5  # endings named; more hide the one that was meant


def idle_patterns(matcher: Matcher, matched: Iterable[str]) -> list[str]:
    """Return the include and references patterns that match none of the files that count."""
    idle = dict.fromkeys((*matcher.include, *matcher.references))
    for path in matched:
        if not idle:
            break
        for pattern in [each for each in idle if each.whole.match(path)]:
            del idle[pattern]
    return [pattern.text for pattern in idle]


def likely_mistake(matcher: Matcher, text: str, paths: Sequence[str]) -> str:
    """Return why the pattern takes no file, given paths of files that are there; never "".

    `paths` are relative POSIX, of any files below the source's folder.
    """
    pattern = next(each for each in (*matcher.include, *matcher.references) if each.text == text)
    if taken := [path for path in paths if pattern.whole.match(path)]:
        return f"it matches {taken[0]!r}, which is not taken: {matcher.explain(taken[0])}"
    if text.startswith(("/", "\\")):
        return "a pattern counts from the source's folder, so it never begins with a whole path"
    if deeper := _below(pattern, paths):
        return f"{deeper[0]!r} lies in a folder below: write **/{text}"
    if not paths:
        return "the folder holds no file yet"
    return f"the folder holds {_endings(paths)}"


def _below(pattern: Pattern, paths: Sequence[str]) -> list[str]:
    """Return the paths that the pattern would match if it began with **/."""
    return [
        path
        for path in paths
        if any(pattern.whole.match(path[at + 1 :]) for at, sign in enumerate(path) if sign == "/")
    ]


def _endings(paths: Sequence[str]) -> str:
    names = (path.rpartition("/")[2] for path in paths)
    found = Counter("*" + dot + end.lower() for _, dot, end in (n.rpartition(".") for n in names))
    return ", ".join(f"{count} {ending}" for ending, count in found.most_common(ENDINGS_MAX))
