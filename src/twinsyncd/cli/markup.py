"""Text of others on a console: shown as it is, never read as markup."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return the text with brackets escaped and hidden characters shown as escapes.

    Names of files may hold both: a right-to-left mark or a newline makes another line of it.
    """
    from rich.markup import escape  # only here: `--version` does without Rich

    from ..runtime.formatting import visible

    return escape(visible(text))
