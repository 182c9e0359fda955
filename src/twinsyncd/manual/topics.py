"""The topics of the manual, in the order of reading; what follows from the code is filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .keys import keys_table
from .messages import messages_table

TOPICS: Final = (
    *("install", "setup", "person", "configuration", "commands", "messages", "operations"),
    *("monitoring", "machines"),
    *("security", "decisions", "reliability", "performance", "manifest", "bulk", "localtwin"),
    *("json", "glossary", "development"),
)

_FOLDER: Final = Path(__file__).parent
_PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "<!-- keys -->\n": keys_table,
    "<!-- messages -->\n": messages_table,
}


def text_of(topic: str) -> str:
    """Return a topic as Markdown. Raises KeyError if there is none of that name."""
    if topic not in TOPICS:
        raise KeyError(topic)
    text = (_FOLDER / f"{topic}.md").read_text("utf-8")
    for mark, part in _PARTS.items():
        if mark in text:
            text = text.replace(mark, part())
    return text


def title_of(topic: str) -> str:
    """Return the title of a topic."""
    with (_FOLDER / f"{topic}.md").open(encoding="utf-8") as opened:
        return opened.readline().removeprefix("# ").strip()
