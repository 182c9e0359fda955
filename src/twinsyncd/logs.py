"""Sets up the log: one event a line, times in UTC, for people or for collectors, no secrets.

structlog is imported only when the log is set up, since that takes longer than `--version` may.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import PurePath
from typing import Any, Final, Literal, TextIO

from .redact import redact

Style = Literal["auto", "console", "json"]

HIDDEN: Final = "[redacted]"
SIGNED: Final = re.compile(r"(?i)[?&](sig|signature|x-amz-signature|access_token|code)=")
DEEPEST: Final = 8  # deeper values are nobody's context; it also ends a value that holds itself

SECRET_KEYS: Final = frozenset(
    [
        "access_token",
        "api_key",
        "authorization",
        "client_secret",
        "cookie",
        "id_token",
        "password",
        "refresh_token",
        "secret",
        "set_cookie",
        "token",
    ]
)
"""Keys whose values are never shown, whatever they look like."""

PAGE_KEY: Final = "page_to_open"
"""The key of a page that a person opens: useless without its query, which grants nothing alone."""


def set_up(style: Style, stream: TextIO, level: str = "info") -> None:
    """Send every log of the process to `stream`, that of libraries from warnings upwards.

    "auto" is for people if the stream is a terminal, else one JSON object a line.
    """
    import structlog  # noqa: PLC0415 (see the module's docstring)

    renderer = _renderer(style, stream)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redacted,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared[:-1]],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redacted,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _renderer(style: Style, stream: TextIO) -> Any:
    import structlog  # noqa: PLC0415 (see the module's docstring)

    if style == "console" or (style == "auto" and stream.isatty()):
        # A plain traceback, made before redaction: a rich one shows the values of local variables.
        return structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def redacted(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Return the event without signatures, tokens and secrets, however deep they lie."""
    del logger, method  # a processor is always given these
    return {redact(key): _shown(key, value, DEEPEST) for key, value in event.items()}


def _shown(key: str, value: object, depth: int) -> Any:
    if key.lower().replace("-", "_") in SECRET_KEYS:
        return HIDDEN
    if key == PAGE_KEY and not SIGNED.search(str(value)):
        return str(value)
    match value:
        case None | bool() | int() | float():
            return value
        case str() | PurePath():
            return redact(str(value))
        case Mapping() | list() | tuple() | set() | frozenset():
            return _all_shown(value, depth - 1) if depth else "..."
        case _:
            return redact(repr(value))


def _all_shown(values: Mapping[Any, Any] | Iterable[Any], depth: int) -> Any:
    if isinstance(values, Mapping):
        return {redact(str(key)): _shown(str(key), each, depth) for key, each in values.items()}
    return [_shown("", each, depth) for each in values]
