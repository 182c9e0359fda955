"""What people read of files that the last list of the drive lacked, before they count as gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..core.model import SourceKey
from ..core.safety import CONFIRM_S
from ..journal.views import Status
from .formatting import clock_time, count, some_of

_FOLLOWS: Final = {
    "keep": "what the cloud has of {it} stays there",
    "unmap": "{it} leaves the connection and stays in Storage",
    "delete": "{it} leaves the connection and is deleted in Storage",
}
"""What `on_delete` does with a file once it counts as gone."""


@dataclass(frozen=True, slots=True)
class MissingFiles:
    """Those of one source, in words."""

    source: SourceKey
    number: int
    paths: frozenset[str]  # empty if they are too many to be known by name
    text: str
    outlook: str  # when it is decided, and what follows then
    since_s: float  # wall clock [s]; 0: not known

    @property
    def fix(self) -> str:
        """What a person does, if anything."""
        what = "it" if self.number == 1 else "them"
        return f"put {what} back if that is not meant; {self.outlook}"


def missing_of(
    keys: Iterable[SourceKey], status: Status, on_delete: str, *, running: bool
) -> tuple[MissingFiles, ...]:
    """Return the sources that lack files; `running`: a daemon looks for them by itself."""
    return tuple(
        MissingFiles(
            key,
            found.count,
            found.paths,
            _text(found.count, found.examples),
            _outlook(found.count, found.newest_s, on_delete, running=running),
            found.since_s,
        )
        for key in sorted(keys)
        if (found := status.missed.get(key)) is not None
    )


def _text(number: int, examples: list[str]) -> str:
    gone = f"{count(number, 'file')} not on the drive any more"
    return f"{gone}: {some_of(examples, number)}" if examples else gone


def _outlook(number: int, since_s: float, on_delete: str, *, running: bool) -> str:
    after = f" after {clock_time(since_s + CONFIRM_S)}" if since_s else ""
    look = f"looked for once more{after}" if running else f"looked for by the next sync{after}"
    follows = _FOLLOWS[on_delete].format(it="it" if number == 1 else "each")
    return f'{look}, and then {follows} (on_delete = "{on_delete}")'
