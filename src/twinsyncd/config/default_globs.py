"""Default patterns of a source without `include`, by its connector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ..connectors import EXTENSIONS, MODELS, ON_REQUEST, connectors_for

AUTO: Final = "auto"

_LAST_SUFFIX: Final = re.compile(r"(?:\.\w+)+\Z")


def globs_for(connector: str) -> tuple[str, ...]:
    """Return what `include` is when it is not written; empty if the connector reads no known name.

    For "auto" these are the names that are models in any folder.
    """
    known: Mapping[str, tuple[str, ...]] = MODELS if connector == AUTO else EXTENSIONS
    fitting = [name for name, readers in known.items() if connector in (AUTO, *readers)]
    suffixes = ",".join(suffix.removeprefix(".") for suffix in fitting)
    return (f"**/*.{{{suffixes}}}" if len(fitting) > 1 else f"**/*.{suffixes}",) if fitting else ()


def endings_for(include: Iterable[str]) -> tuple[str, ...]:
    """Return the ends of names that may be source files while the connector is "auto".

    A name like `.zip`, that is a model only now and then, counts where a glob spells it out.
    """
    written = [suffix for suffix in ON_REQUEST if any(_spells(glob, suffix) for glob in include)]
    return (*MODELS, *written)


def unreadable(glob: str) -> str:
    """Return the extension that the glob names and no connector reads; "" if there is none."""
    found = _LAST_SUFFIX.search(glob.rpartition("/")[2])
    return found[0] if found and not connectors_for(f"x{found[0]}") else ""


def _spells(glob: str, suffix: str) -> bool:
    return re.search(rf"[.{{,]{re.escape(suffix[1:])}(?![\w.])", glob.lower()) is not None
