"""Text of others on a console: shown as it is, never read as markup."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return the text with brackets escaped, since names of files may hold them."""
    from rich.markup import escape  # only here: `--version` does without Rich

    return escape(text)
