"""Text of others on the page: no secrets, no control characters, links only where they are safe."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

from ..redact import URL, is_page, redact
from ..runtime import formatting

_COMMAND: Final = re.compile(r"`([^`]+)`")


def visible(text: str) -> str:
    """Return the text without secrets; control and bidirectional characters shown as escapes."""
    return formatting.visible(redact(text))


def linked(text: str) -> Markup:
    """Return the text as markup, in which addresses are links and `commands` are code.

    A page that a person must open is useless without its query, so that is kept unless it may
    grant something by itself.
    """
    parts, end = [], 0
    for found in URL.finditer(text):
        parts += [_words(text[end : found.start()]), _link(found[0])]
        end = found.end()
    return Markup("").join([*parts, _words(text[end:])])


def _words(text: str) -> Markup:
    shown = str(escape(visible(text)))
    return Markup(_COMMAND.sub(r"<code>\1</code>", shown))  # noqa: S704 - escaped just before


def _link(address: str) -> Markup:
    if not is_page(address):
        return escape(visible(address))
    shown = formatting.visible(address)
    link = Markup('<a href="{0}" rel="noreferrer noopener" target="_blank">{0}</a>')
    return link.format(shown)
