"""`twinsyncd explain`: why a path is taken or not, where the file stands, and what came before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from .completion import file_paths
from .markup import plain
from .options import ConfigOption, load_config
from .retry import find_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..config import Config
    from ..core.deliveries import LastDelivery
    from ..core.events import Event
    from ..core.model import Digest, FileKey, FileRow

EVENTS_MAX = 10  # the newest; `twinsyncd history PATH` shows all


def explain(
    path: Annotated[
        str, typer.Argument(help="Any path below a configured folder.", autocompletion=file_paths)
    ],
    config: ConfigOption = None,
) -> None:
    """Explain one path: the pattern that decides, the state, what it waits for, its last events.

    Looks at the share for two seconds at most, for who has the file open.
    Exit code 0 if the file is synced or does not matter, else 1.
    """
    from rich.console import Console

    from ..runtime import state as journal
    from ..runtime.bulk_records import delivery_of
    from ..runtime.file_doubts import doubt, unknown
    from ..runtime.file_holder import who_has_open
    from ..runtime.file_state import explain_file
    from ..runtime.reference_closure import reference_lines
    from ..runtime.report import make_report

    checked = load_config(config, folders=False)
    keys = find_keys(checked, path)
    key, row = keys[0], journal.read_row(checked, keys[0])
    if row is None and any(journal.read_below(checked, each, 0).known for each in keys):
        raise typer.Exit(_explain_folder(checked, path))
    reason = matcher_reason(checked, key)
    report = make_report(
        checked,
        journal.read_status(checked),
        running=journal.is_running(checked),
        now_s=time.time(),
        trouble=journal.read_trouble(checked),
    )
    ignored = reason.startswith("ignored")
    delivery = delivery_of(report, key)
    state, done = explain_file(
        row,
        ignored=ignored,
        doubt=doubt(report, key),
        lane=report.lane_of(key.source),
        delivery=delivery,
        unknown=unknown(report, key),
        is_reference=reason.startswith("reference"),
    )
    console = Console(highlight=False)
    for line in (f"{key.source}/{key.path}", f"  pattern  {reason}", f"  state    {state}"):
        console.print(plain(line), soft_wrap=True)
    if not ignored and (holder := who_has_open(checked, key)):
        console.print(plain(f"  file     {holder}"), soft_wrap=True)
    for line in reference_lines(checked, key):
        console.print(plain(f"  {line}"), soft_wrap=True)
    for line in _delivery_lines(delivery):
        console.print(plain(line), soft_wrap=True)
    if row is not None:
        past = journal.read_history(checked, key=key, limit=EVENTS_MAX)
        for line in _past_lines(row, past, is_rows=delivery is not None):
            console.print(plain(line), soft_wrap=True)
    raise typer.Exit(0 if done else 1)


def _explain_folder(config: Config, path: str) -> int:
    """Print what is known of a folder; return the exit code."""
    from rich.console import Console

    from .status_path import path_status

    text, done = path_status(config, path, EVENTS_MAX, as_json=False)
    console = Console(highlight=False)
    console.print(f"{text}\n  a folder; twinsyncd explain FILE says more", soft_wrap=True)
    return 0 if done else 1


def _past_lines(row: FileRow, events: Iterable[Event], *, is_rows: bool) -> Iterator[str]:
    """Yield which contents are known where, and what happened to the file."""
    from ..core.model import ABSENT, IN_DOUBT
    from ..runtime.event_words import event_words
    from ..runtime.formatting import clock_time

    has_other = row.storage_id and row.stored == ABSENT and row.seen != ABSENT
    stored = IN_DOUBT if has_other and is_rows else row.stored
    for name, digest in (("seen", row.seen), ("stored", stored), ("synced", row.synced)):
        what = "not this content" if has_other and digest == ABSENT and name == "stored" else ""
        yield f"  {name:8} {what or _digest(digest, is_rows=is_rows)}"
    for event in events:
        text = f": {words}" if (words := event_words(event)) else ""
        yield f"  {clock_time(event.at_s)}  {event.kind.value}{text}"


def _delivery_lines(delivery: LastDelivery | None) -> Iterator[str]:
    """Yield what the last delivery of an export file did, and every row that was rejected."""
    from ..runtime.bulk_records import file_line
    from ..runtime.formatting import clock_time, count

    if delivery is None:
        return
    yield f"  records  {file_line(delivery)}"
    sent = f"{delivery.inserted:,} inserted, {delivery.updated:,} updated"
    requests = count(delivery.requests, "request")
    yield f"  sent     {clock_time(delivery.at_s)}: {sent}, {requests}"
    yield from (f"  rejected {row}" for row in delivery.rejected_rows)
    rows = {row.row for row in delivery.rejected_rows}
    if delivery.rejected > len(rows):
        yield f"  rejected and {delivery.rejected - len(rows):,} more rows"


def matcher_reason(config: Config, key: FileKey) -> str:
    """Return in words why a file of a source matters or does not."""
    from ..config import sources_of

    source = next(s for c, s in sources_of(config) if c.key_of(s) == key.source)
    return source.matcher().explain(key.path)


def _digest(digest: Digest, *, is_rows: bool) -> str:
    from ..core.model import ABSENT, IN_DOUBT

    if digest == ABSENT:
        return "nothing"
    if digest == IN_DOUBT and is_rows:
        return "not the whole content: rows were rejected, or wait, or an answer was lost"
    if digest == IN_DOUBT:
        return "in doubt: an upload began and its end is unknown"
    return digest
