"""Examines bulk connections without writing: keys, modes, and whether the files can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from ..cloud.access_check import CheckResult
from ..cloud.network import NetworkSettings
from ..cloud.session import open_bulk
from ..config import Connection, Source
from ..errors import CloudError
from ..targets.bulk.snapshot import set_limit
from ..targets.bulk.tables import BadTableError, Table
from .bulk_wiring import mapping_of_source, sender_of

READ_MAX: Final = 20  # export files of one source that are opened; more scroll the others away


def examine_service(connection: Connection, network: NetworkSettings) -> Iterator[CheckResult]:
    """Yield whether the key may write, which shows without writing, and what the mode means."""
    step = f"sign in at {connection.bulk.url}"
    who = "account" if connection.bulk.email else "API key"
    try:
        url, sender = connection.bulk.url or "", sender_of(connection.bulk)
        with open_bulk(url, sender, network=network) as service:
            service.check_key()
    except CloudError as exc:
        fix = f"correct url, company_guid and the {who} below [connection.bulk]"
        yield CheckResult(step, False, exc.failure.message, fix)
    else:
        yield CheckResult(step, True, f"the {who} may send records")
    step = f"mode of {connection.name}"
    if connection.bulk.mode == "upsert":
        unknown = "upsert: whether this service deletes what a request leaves out cannot be seen"
        fix = 'ask its operator; if it does, set mode = "snapshot" below [connection.bulk]'
        yield CheckResult(step, True, f"{unknown} without writing", fix)
    else:
        means = "snapshot: the service deletes what a file leaves out, with all that lies below it"
        yield CheckResult(step, True, means)


def examine_exports(
    connection: Connection, source: Source, paths: Sequence[str]
) -> Iterator[CheckResult]:
    """Yield for each export file whether its rows can be read, and whether a set is too large."""
    for path in paths[:READ_MAX]:
        file = source.folder / path
        try:
            yield _examine(connection, source, file)
        except (BadTableError, OSError) as exc:
            fix = "correct the export, or columns and keys below [connection.source.rows]"
            yield CheckResult(f"read {file}", False, str(exc), fix)


def _examine(connection: Connection, source: Source, file: Path) -> CheckResult:
    entity, step = source.rows.entity or "", f"read {file}"
    columns = mapping_of_source(source, connection.bulk.company_guid or "").wanted()
    given = source.rows
    rows = Table(file, file.suffix.lower(), columns, given.sheet, given.encoding).rows()
    if connection.bulk.mode == "upsert":
        some = "it has its columns" if any(True for _ in rows) else "it has its columns and no rows"
        return CheckResult(step, True, f"{entity}: {some}")
    limit = set_limit(entity)
    number = sum(1 for _ in islice(rows, limit + 1))
    if number > limit:
        fix = "ask the operator to switch the service's deletion off, and use mode = upsert"
        found = f"more than {limit} {entity}, which is what one request of a snapshot may have"
        return CheckResult(step, False, found, fix)
    return CheckResult(step, True, f"{entity}: {number} rows fit one request")
