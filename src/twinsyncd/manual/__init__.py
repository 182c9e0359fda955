"""The manual: topics as Markdown, shown by `twinsyncd manual` and the page."""

from __future__ import annotations

from .topics import TOPICS, text_of, title_of

__all__ = ["TOPICS", "text_of", "title_of"]
