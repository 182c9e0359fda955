"""Compiles the globs of the configuration into the expressions of the matcher.

The syntax is that of every shell: `*` and `?` stay within one name, `[...]` is one character of
several, `{a,b}` one text of several, `**` any number of folders, none included. A glob counts from
the source's folder. A backslash is a slash, so a path copied from Windows works as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from wcmatch import glob
from wcmatch._wcparse import PatternLimitException  # documented, exported nowhere else

from ..core.match import Matcher, Pattern, litter_but

FLAGS: Final = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.IGNORECASE | glob.FORCEUNIX

BY_SUFFIX: Final = re.compile(r"\*\*/\*\.(?:(?P<one>[\w.]+)|\{(?P<several>[\w.]+(?:,[\w.]+)*)\})")
"""The common `**/*.dwg` and `**/*.{dgn,dwg}`, translated here for speed: wcmatch's expression for
28 suffixes takes 96 us to refuse a path, this one 0.8 us, and a scan tests every file."""

GLOBS_KEPT: Final = 1024
"""Compiled globs kept: a thousand connections have the same few, and each is compiled twice."""

ANYTHING: Final = re.compile("")
NOTHING: Final = re.compile(r"(?!)")


class BadPatternError(ValueError):
    """An invalid glob; the text has the reason and what to write instead."""


def matcher(
    include: Iterable[str],
    references: Iterable[str] = (),
    exclude: Iterable[str] = (),
    readable: Callable[[str], bool] | None = None,
) -> Matcher:
    """Return the matcher of one source folder; raises BadPatternError."""
    include, references = tuple(include), tuple(references)
    return Matcher(
        include=tuple(wanting(text) for text in include),
        references=tuple(wanting(text) for text in references),
        exclude=tuple(excluding(text) for text in exclude),
        readable=readable,
        litter=_litter_but((*include, *references)),
        endings=endings_of((*include, *references)),
    )


def endings_of(globs: Iterable[str]) -> tuple[str, ...]:
    """Return the ends, in lower case, of all names that these globs match; empty if they vary.

    A scan leaves out all other names at a tenth of the cost of matching them.
    """
    endings: list[str] = []
    for text in globs:
        simple = BY_SUFFIX.fullmatch(f"**/{_clean(text).rpartition('/')[2]}")
        if simple is None or not text.isascii():
            return ()
        suffixes = (simple["one"] or simple["several"]).split(",")
        endings.extend(f".{suffix.lower()}" for suffix in suffixes)
    return tuple(endings)


@lru_cache(GLOBS_KEPT)
def wanting(text: str) -> Pattern:
    """Return a glob of `include` or `references`; raises BadPatternError."""
    clean = _clean(text)
    return Pattern(text, whole=_expression([clean]), leads=_leading_to(clean), tree=NOTHING)


@lru_cache(GLOBS_KEPT)
def excluding(text: str) -> Pattern:
    """Return a glob of `exclude`, which excludes a folder with all its contents."""
    clean = _clean(text)
    if clean == "**":
        return Pattern(text, whole=ANYTHING, leads=NOTHING, tree=ANYTHING)
    above = clean.removesuffix("/**")
    whole = _expression([clean]) if above == clean else NOTHING  # its tree matches it already
    return Pattern(text, whole=whole, leads=NOTHING, tree=_expression([above]))


_litter_but: Final = lru_cache(GLOBS_KEPT)(litter_but)


def _clean(text: str) -> str:
    clean = normalize("NFC", text.strip().replace("\\", "/")).removeprefix("./")
    parts = clean.split("/")
    if not clean.strip("/"):
        raise BadPatternError("the pattern is empty; write for example **/*.dgn")
    if clean.startswith("!"):
        raise BadPatternError("write what is not wanted under exclude, without the !")
    if ":" in parts[0] or clean.startswith("//"):
        raise BadPatternError("a pattern counts from the folder; leave the drive or server away")
    if ".." in parts:
        raise BadPatternError("a pattern cannot leave the folder; give that folder its own source")
    clean, is_folder = clean.strip("/"), clean.endswith("/")
    return f"{clean}/**" if is_folder and parts[-2] != "**" else clean


def _expression(globs: list[str]) -> re.Pattern[str]:
    if len(globs) == 1 and (simple := BY_SUFFIX.fullmatch(globs[0])):
        suffixes = (simple["one"] or simple["several"]).split(",")
        alternatives = "|".join(re.escape(suffix) for suffix in suffixes)
        return re.compile(rf"(?is:.*\.(?:{alternatives}))\Z")
    try:
        wanted, _ = glob.translate(globs, flags=FLAGS)
    except PatternLimitException:
        raise BadPatternError(
            "the braces expand to too many patterns; write several patterns"
        ) from None
    return re.compile("|".join(wanted))


def _leading_to(clean: str) -> re.Pattern[str]:
    """Match the folders on the way to a match: one more part of the glob each, to the first **."""
    ways: list[str] = []
    parts = _split(clean)
    for depth, part in enumerate(parts[:-1]):
        if part == "**" or "/" in part:
            ways.append("/".join([*parts[:depth], "**"]))
            break
        ways.append("/".join(parts[: depth + 1]))
    else:
        if parts[-1] == "**" or "/" in parts[-1]:
            ways.append("/".join([*parts[:-1], "**"]))
    if "**" in ways:
        return ANYTHING
    root = r"\Z"
    return re.compile("|".join([root, _expression(ways).pattern]) if ways else root)


def _split(clean: str) -> list[str]:
    """Split at the slashes outside braces; one inside makes its whole part match anything."""
    parts, depth = [""], 0
    for character in clean:
        depth += (character == "{") - (character == "}")
        if character == "/" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
