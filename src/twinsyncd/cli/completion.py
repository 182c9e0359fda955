"""What the shell completes: connections, sources, files that the journal knows, topics, connectors.

It reads the configuration and the journal, and touches no share. Where nothing fits, the shell
completes names of its own folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from ..errors import AppError

if TYPE_CHECKING:
    from ..config import Config

_SPECIAL: Final = re.compile(r"([^\w@%+=:,./-])")
_VARIABLE: Final = "_TWINSYNCD_COMPLETE"  # says which shell asks


class Offered(str):
    """A word as the shell gets it; Typer compares what was typed with the word itself.

    Bash inserts a word as it is, so what is special to it is escaped; the others do so themselves.
    """

    __slots__ = ("word",)
    word: str

    def __new__(cls, word: str) -> Offered:
        """Escape the word if Bash asks."""
        is_bash = os.environ.get(_VARIABLE, "") == "complete_bash"
        offered = super().__new__(cls, _SPECIAL.sub(r"\\\1", word) if is_bash else word)
        offered.word = word
        return offered

    def startswith(self, *wanted: Any) -> bool:
        """Return whether the word itself begins so."""
        return self.word.startswith(*wanted)


def connection_names(context: typer.Context) -> list[str]:
    """Return the names of the connections."""
    config = _config(context)
    return _offered(each.name for each in config.connection) if config else []


def file_paths(context: typer.Context, incomplete: str) -> list[str]:
    """Return the files and folders that begin so, as `status` prints them."""
    config = _config(context)
    return _offered(_paths(config, incomplete)) if config else []


def names_and_paths(context: typer.Context, incomplete: str) -> list[str]:
    """Return connections, and files and folders, that begin so."""
    return [*connection_names(context), *file_paths(context, incomplete)]


def topics() -> list[str]:
    """Return the manual's topics."""
    from ..manual import TOPICS

    return list(TOPICS)


def connector_names(incomplete: str) -> list[str]:
    """Return the connectors, in the case that is typed."""
    from ..connectors import KNOWN_CONNECTORS

    names = sorted(KNOWN_CONNECTORS)
    return [each.lower() for each in names] if incomplete.islower() else names


def _paths(config: Config, typed: str) -> list[str]:
    from ..config import sources_of
    from ..runtime.state import read_next_parts

    keys = [connection.key_of(source) for connection, source in sources_of(config)]
    found = [f"{key}/" for key in keys]
    for key in keys:
        if typed.startswith(f"{key}/"):
            begun = typed.removeprefix(f"{key}/")
            found += [f"{key}/{each}" for each in read_next_parts(config, key, begun)]
    return [each for each in found if each != typed]


def _config(context: typer.Context) -> Config | None:
    """Return the configuration; None if there is none that can be used."""
    from .options import find_config, load_config

    with suppress(AppError, OSError):
        given: Any = context.params.get("config") or os.environ.get("TWINSYNCD_CONFIG")
        return load_config(Path(given) if given else find_config(), folders=False)
    return None


def _offered(words: Iterable[str]) -> list[str]:
    return [Offered(each) for each in words]
