"""The log: its two forms, and that no secret gets into either."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd import logs

SRC = Path(logs.__file__).parent
SIGNED = "https://blob.example/c/f.dgn?sv=2019-07-07&sr=b&sig=aGVsbG8%3D&se=2026-01-01&sp=rw"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhYmMifQ.c2lnbmF0dXJl"
SECRETS = ["aGVsbG8", "c2lnbmF0dXJl", "eyJzdWIi", "hunter2"]
TEXTS = [
    SIGNED,
    f"PUT {SIGNED} answered 403",
    "/c/f.dgn?sv=2019-07-07&se=2026-01-01&sig=aGVsbG8%3D",
    f"Bearer {JWT}",
    JWT,
    "grant_type=client_credentials&client_secret=hunter2&scope=itwin-platform",
    '{"client_secret": "hunter2", "scope": "itwin-platform"}',
    "Authorization: Basic aGVsbG86aHVudGVyMg==",
    "the proxy http://office:hunter2@proxy.example.com:3128 does not answer",
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """True: people are reading."""
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Takes the set-up of the log back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(style: logs.Style = "json", stream: io.StringIO | None = None) -> io.StringIO:
    """Return a stream that the log is set up for."""
    stream = stream or io.StringIO()
    logs.set_up(style, stream)
    return stream


def shows_a_secret(text: object) -> bool:
    """True if anything that must not be read can be read."""
    return any(secret in str(text) for secret in SECRETS)


def test_a_collector_gets_one_json_object_a_line_with_utc_times() -> None:
    """Log collectors split at lines, and machines of one office disagree about the time zone."""
    stream = logged()

    structlog.get_logger().info("upload.finished", path="Brücke.dgn", size_bytes=3)
    structlog.get_logger().warning("run.refused", connection="Bridge 12")

    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    stamp = datetime.fromisoformat(first.pop("timestamp"))
    assert stamp.utcoffset() == timedelta(0)
    assert first == {
        "event": "upload.finished",
        "level": "info",
        "path": "Brücke.dgn",
        "size_bytes": 3,
    }
    assert second["level"] == "warning"


@pytest.mark.parametrize(
    ("style", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_the_form_follows_the_reader_unless_it_is_chosen(
    style: logs.Style, stream: io.StringIO, is_json: bool
) -> None:
    """The same command runs under systemd and in a person's terminal."""
    logged(style, stream)

    structlog.get_logger().info("run.started", run_id="r1")

    assert is_json == stream.getvalue().startswith("{")
    assert "run.started" in stream.getvalue()


def test_chatter_is_left_out_unless_asked_for() -> None:
    """A month of debug lines hides the one that matters."""
    quiet, chatty = io.StringIO(), io.StringIO()

    logs.set_up("json", quiet)
    structlog.get_logger().debug("look.answered")
    logs.set_up("json", chatty, level="debug")
    structlog.get_logger().debug("look.answered")

    assert quiet.getvalue() == ""
    assert "look.answered" in chatty.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("text", TEXTS)
def test_no_form_of_the_log_shows_a_secret(style: logs.Style, text: str) -> None:
    """Logs are mailed around, and a signed address is good for an hour."""
    stream = logged(style)

    structlog.get_logger().info("upload.finished", nested={"deep": [text, (text,)]}, reason=text)

    assert "upload.finished" in stream.getvalue()
    assert not shows_a_secret(stream.getvalue())


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_no_secret(style: logs.Style) -> None:
    """The text of a foreign exception holds the address it failed at."""
    stream = logged(style)

    try:
        raise OSError(f"cannot reach {SIGNED} with Bearer {JWT}")
    except OSError:
        structlog.get_logger().exception("hand.failed")

    assert "Traceback" in stream.getvalue()
    assert "cannot reach https://blob.example/c/f.dgn" in stream.getvalue()
    assert not shows_a_secret(stream.getvalue())


@pytest.mark.parametrize("style", ["json", "console"])
def test_what_libraries_log_goes_the_same_way(style: logs.Style) -> None:
    """An HTTP library names whole addresses when it warns, and says every request else."""
    stream = logged(style)

    logging.getLogger("urllib").info("GET everything")
    logging.getLogger("urllib").warning("retrying %s", SIGNED)
    try:
        raise OSError(f"no route to {SIGNED}")
    except OSError:
        logging.getLogger("urllib").exception("gave up")

    assert "GET everything" not in stream.getvalue()
    assert "retrying https://blob.example/c/f.dgn" in stream.getvalue()
    assert "no route to" in stream.getvalue()
    assert not shows_a_secret(stream.getvalue())


@pytest.mark.parametrize(
    "key", ["client_secret", "Client-Secret", "Authorization", "access_token", "password"]
)
def test_a_value_under_a_secrets_name_is_hidden_whatever_it_is(key: str) -> None:
    """A client secret looks like any other text."""
    event = logs.redacted(
        None, "info", {"event": "x.y", key: "hunter2", "in": [{key: ["hunter2"]}]}
    )

    assert not shows_a_secret(event)
    assert event[key] == logs.HIDDEN


NESTED = st.recursive(
    st.sampled_from([*TEXTS, 5, None, Path("a/b"), TEXTS[0].encode(), OSError(TEXTS[1])]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*TEXTS, "path"]), inner),
    max_leaves=12,
)


@given(value=NESTED)
def test_no_nesting_gets_a_secret_through_and_all_of_it_can_be_written(value: Any) -> None:
    """Context is whatever the caller had at hand."""
    event = logs.redacted(None, "info", {"event": "x.y", "value": value})

    assert not shows_a_secret(json.dumps(event))


@given(
    numbers=st.dictionaries(
        st.sampled_from(["size_bytes", "duration_s", "attempt"]), st.integers() | st.booleans()
    )
)
def test_figures_pass_unchanged(numbers: dict[str, int]) -> None:
    """Redaction must not make the log useless for counting."""
    assert numbers == logs.redacted(None, "info", dict(numbers))


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("https://portal.example.com/authenticate?redirect_url=x", True),
        ("https://blob.example.com/a?sv=1&sig=abc", False),
    ],
)
def test_a_page_that_a_person_must_open_is_shown_whole_and_a_signed_address_never(
    page: str, shown: bool
) -> None:
    """Without its query the page asks nobody for anything; a signature is a key."""
    event = logs.redacted(None, "", {"event": "sign_in.needed", "page_to_open": page})

    assert (event["page_to_open"] == page) is shown


def test_a_value_that_holds_itself_does_not_stop_the_program() -> None:
    """Logging must never be what fails."""
    loop: dict[str, Any] = {}
    loop["self"] = loop

    assert "..." in json.dumps(logs.redacted(None, "info", {"event": "x.y", "value": loop}))


def test_importing_the_module_does_not_load_structlog() -> None:
    """The command line answers `--version` without it."""
    code = "import sys, twinsyncd.logs; sys.exit('structlog' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], check=False, cwd=SRC.parent)

    assert found.returncode == 0


def events(file: Path) -> Iterator[tuple[int, str | None]]:
    """Yield the line and the name of every event that a module logs; None if it is made up."""
    methods = {"debug", "info", "warning", "error", "exception", "critical"}
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=method), args=[first, *_]
            ) if method in methods:
                constant = isinstance(first, ast.Constant) and isinstance(first.value, str)
                yield node.lineno, str(first.value) if constant else None  # type: ignore[attr-defined]  # checked above


def test_an_event_that_is_no_constant_name_is_found(tmp_path: Path) -> None:
    """The rule below must bite."""
    file = tmp_path / "module.py"
    file.write_text('log.info("run.started", a=1)\nlog.error(f"{x} failed")\nmath.log(5)\n')

    assert list(events(file)) == [(1, "run.started"), (2, None)]


@pytest.mark.parametrize("file", sorted(SRC.rglob("*.py")), ids=lambda file: file.stem)
def test_every_event_has_a_constant_dotted_name(file: Path) -> None:
    """What is spelled anew each time can be neither searched nor counted."""
    bad = [
        line
        for line, name in events(file)
        if name is None or not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name)
    ]

    assert bad == []
