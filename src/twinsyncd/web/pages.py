"""The templates, with the filters that make times, durations and texts of others readable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..runtime.event_words import event_words
from ..runtime.formatting import clock_time, count, duration
from .overview import DAYS, Overview
from .safe_text import linked, visible

SECTIONS = ("headline", "needs", "connections", "machines", "timeline", "files", "watches")
"""The parts of the first page that are sent again when they change."""


class Pages:
    """Renders every page; safe to share between threads."""

    def __init__(self, form_key: str, *, signs_in: bool) -> None:
        """`form_key` goes into every form; `signs_in`: there is a token, so also a sign-out."""
        self._templates = Environment(
            loader=PackageLoader("twinsyncd.web"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "words": event_words,
            "linked": lambda text: linked(str(text)),
            "moment": _moment,
            "duration": duration,
            "count": count,
        }
        self._templates.globals |= {
            "form_key": form_key,
            "signs_in": signs_in,
            "version": __version__,
            "choices": DAYS,
        }

    def render(self, name: str, **values: Any) -> str:
        """Return a whole page."""
        return self._templates.get_template(f"{name}.html").render(**values)

    def sections(self, overview: Overview) -> dict[str, str]:
        """Return the parts of the first page by the id of their place in it."""
        return {name: self.render(f"part_{name}", view=overview) for name in SECTIONS}


def _finalize(value: Any) -> Any:
    """Show text of others without secrets and control characters; markup is ours."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _moment(wall_s: float) -> Markup:
    """Return a moment as the local time, with the exact one for programs."""
    exact = datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, clock_time(wall_s))
