"""What `twinsyncd status PATH` shows of one file, or of all files below one folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import AppError
from .explain import matcher_reason
from .markup import plain
from .retry import find_keys

if TYPE_CHECKING:
    from ..config import Config
    from ..core.deliveries import LastDelivery
    from ..core.model import FileKey, FileRow, LaneRow
    from ..journal.folder_view import FolderView


def path_status(config: Config, path: str, files: int, *, as_json: bool) -> tuple[str, bool]:
    """Return the text about a file or folder, and whether all of it is synced.

    `files`: how many open files of a folder to list. Raises AppError, JournalError.
    """
    from ..runtime.bulk_records import delivery_of
    from ..runtime.file_doubts import doubt
    from ..runtime.file_holder import who_has_open
    from ..runtime.overall_state import read_overall_state
    from ..runtime.state import read_below, read_row

    keys = find_keys(config, path)
    key, row = keys[0], read_row(config, keys[0])
    report = read_overall_state(config).report
    if row is not None:
        holder = who_has_open(config, key)
        is_reference = matcher_reason(config, key).startswith("reference")
        delivery = delivery_of(report, key)
        lane = report.lane_of(key.source)
        doubted = doubt(report, key)
        return _file(
            row, doubted, delivery, holder, lane, is_reference=is_reference, as_json=as_json
        )
    views = [(each, read_below(config, each, files)) for each in keys]
    shown = [
        (each, view, doubt(report, each)) for each, view in views if view.known or view.open_total
    ]
    if not shown:
        raise AppError(
            f"nothing is known of {path}",
            hint=f'see why: twinsyncd explain "{path}"',
        )
    done = not any(view.open_total or reason for _, view, reason in shown)
    if not as_json:
        return "\n".join(line for each in shown for line in _folder_lines(*each)), done
    values = [_folder_values(*each) for each in shown]
    return _json(values[0] if len(values) == 1 else {"folders": values}), done


def _file(
    row: FileRow,
    reason: str,
    delivery: LastDelivery | None,
    holder: str,
    lane: LaneRow | None,
    *,
    is_reference: bool,
    as_json: bool,
) -> tuple[str, bool]:
    from ..runtime.file_state import explain_file
    from ..runtime.open_files import open_file
    from ..runtime.status_document import record_file

    state, done = explain_file(
        row, ignored=False, doubt=reason, delivery=delivery, is_reference=is_reference, lane=lane
    )
    shown = open_file(row)
    if not as_json:
        return "\n".join(_file_lines(row, state, delivery, holder, done=done)), done
    since_s = shown.since_s
    values = {
        "source": row.key.source,
        "path": row.key.path,
        "synced": done,
        "state": state,
        "needs_person": shown.needs_person and not done,
        "since_s": since_s or None,
        "next_try_s": row.next_try_s if row.next_try_s > time.time() else None,
        "open_by": holder or None,
        "records": record_file(delivery).model_dump(mode="json") if delivery else None,
    }
    return _json(values), done


def _file_lines(
    row: FileRow, state: str, delivery: LastDelivery | None, holder: str, *, done: bool
) -> Iterator[str]:
    from ..runtime.bulk_records import file_line
    from ..runtime.file_state import explain_file
    from ..runtime.formatting import clock_time
    from ..runtime.open_files import open_file

    style = "green" if done else "red" if row.aside or row.unread else "yellow"
    since_s = open_file(row).since_s
    rests = explain_file(row, ignored=False)[1]  # even if nobody knows whether it still does
    name = plain(f"{row.key.source}/{row.key.path}")
    yield f"[bold]{name}[/]"
    yield f"  [{style}]{plain(state)}[/]"
    if since_s:
        meaning = "its content settled on the drive" if rests else "it is so since"
        yield f"  {meaning} {clock_time(since_s)}"
    if holder:
        yield f"  {plain(holder)}"
    if delivery:
        yield f"  {plain(file_line(delivery))}"
        yield from (f"    {plain(str(each))}" for each in delivery.rejected_rows)
    if row.next_try_s > time.time():
        yield f"  next try {clock_time(row.next_try_s)}"
    yield f'  pattern, digests and events: twinsyncd explain "{name}"'


def _folder_values(folder: FileKey, view: FolderView, reason: str) -> dict[str, Any]:
    from ..runtime.open_files import open_file

    return {
        "source": folder.source,
        "path": folder.path,
        "synced": not view.open_total and not reason,
        "doubt": reason,
        "known": view.known,
        "open_total": view.open_total,
        "open_files": [asdict(open_file(row)) for row in view.open_files],
    }


def _folder_lines(folder: FileKey, view: FolderView, reason: str) -> Iterator[str]:
    from ..runtime.formatting import clock_time, count
    from ..runtime.open_files import open_file

    yield f"[bold]{plain(f'{folder.source}/{folder.path}')}[/]"
    if not view.open_total and reason:
        read = f"{count(view.known, 'file')}, when they were last read"
        yield f"  [yellow]synced[/]: {read}, but {plain(reason)}"
        return
    if not view.open_total:
        yield f"  [green]synced[/]: {count(view.known, 'file')}, nothing is left to do"
        return
    yield f"  [yellow]not synced[/]: {view.open_total:,} of {count(view.known, 'file')}"
    for each in map(open_file, view.open_files):
        since = f", since {clock_time(each.since_s)}" if each.since_s else ""
        reason = f": {plain(each.reason)}" if each.reason else ""
        style = "red" if each.needs_person else "yellow"
        yield f"  {plain(each.path)}  [{style}]{each.state}[/]{reason}{since}"
    if view.open_total > len(view.open_files):
        yield f"  and {view.open_total - len(view.open_files):,} more"


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2)
