"""Examines bulk connections without writing: keys, modes, and whether the files can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from ..bulk_entities import RANK
from ..cloud.access_check import CheckResult
from ..cloud.bulk_api import BulkApi
from ..cloud.network import NetworkSettings
from ..cloud.session import open_bulk
from ..config import Connection, Source
from ..core.model import Fault
from ..errors import CloudError
from ..targets.bulk.snapshot import set_limit
from ..targets.bulk.tables import BadTableError, Table
from .bulk_wiring import mapping_of_source, sender_of

_PREFIX: Final = "/api/v1"
_NOT_HERE: Final = "there is no bulk API at this address, but there is one below /api/v1"
_EVERYWHERE: Final = "SystemAdmin"
READ_MAX: Final = 20  # export files of one source that are opened; more scroll the others away


def examine_service(connection: Connection, network: NetworkSettings) -> Iterator[CheckResult]:
    """Yield what shows without writing: key, scope or role, kinds of records, company, mode."""
    bulk = connection.bulk
    kinds = sorted({source.rows.entity or "" for source in connection.source}, key=RANK.__getitem__)
    sender = sender_of(bulk)
    with open_bulk(bulk.url or "", sender, network=network) as service:
        signed_in = _examine_sender(connection, service, kinds[0], network)
        yield signed_in
        if signed_in.good:
            yield from _examine_kinds(service, kinds[1:])
            yield _examine_company(connection, service)
    yield _examine_mode(connection)


def _examine_sender(
    connection: Connection, service: BulkApi, entity: str, network: NetworkSettings
) -> CheckResult:
    bulk = connection.bulk
    step, who = f"sign in at {bulk.url}", "account" if bulk.email else "API key"
    try:
        service.check_writing(entity)
    except CloudError as exc:
        fix = f"correct url, company_guid and the {who} below [connection.bulk]"
        if exc.status == 404 and _answers_below(connection, entity, network):
            return CheckResult(step, False, _NOT_HERE, f'write url = "{bulk.url}{_PREFIX}"')
        if exc.failure.fault in (Fault.TRANSIENT, Fault.THROTTLED):
            fix = "check again when the service answers; if it never does, correct url"
        return CheckResult(step, False, exc.failure.message, fix)
    why = "its role allows it" if bulk.email else "it has the scope sync:write"
    return CheckResult(step, True, f"the {who} may send records: {why}")


def _answers_below(connection: Connection, entity: str, network: NetworkSettings) -> bool:
    """Return whether the API is where it usually is, below the configured address."""
    bulk = connection.bulk
    with open_bulk(f"{bulk.url}{_PREFIX}", sender_of(bulk), network=network) as service:
        try:
            service.check_writing(entity)
        except CloudError as exc:
            return exc.status in {400, 401, 403}
    return True


def _examine_kinds(service: BulkApi, kinds: Sequence[str]) -> Iterator[CheckResult]:
    for entity in kinds:
        try:
            service.check_writing(entity)
        except CloudError as exc:
            fix = "ask the operator of the service; without them leave out the source of these rows"
            yield CheckResult(f"send {entity}", False, exc.failure.message, fix)


def _examine_company(connection: Connection, service: BulkApi) -> CheckResult:
    company, step = connection.bulk.company_guid, f"company of {connection.name}"
    try:
        sender = service.sender()
    except CloudError as exc:
        fix = "check again when the service answers"
        return CheckResult(step, False, exc.failure.message, fix)
    if sender is None:
        unknown = "the service does not say whose company this key or account is of"
        fix = "a wrong company_guid shows at the first sync, as HTTP 403; nothing is written then"
        return CheckResult(step, True, unknown, fix)
    if sender.company_guid == company:
        return CheckResult(step, True, "company_guid is the company of whoever sends")
    found = f"whoever sends is of company {sender.company_guid}, and company_guid is {company}"
    if sender.role == _EVERYWHERE:
        fix = "nothing, if that is meant: the role SystemAdmin may write to every company"
        return CheckResult(step, True, found, fix)
    fix = f'write company_guid = "{sender.company_guid}", or use a key of the other company'
    return CheckResult(step, False, found, fix)


def _examine_mode(connection: Connection) -> CheckResult:
    step = f"mode of {connection.name}"
    if connection.bulk.mode == "upsert":
        unknown = "upsert: whether this service deletes what a request leaves out cannot be seen"
        fix = (
            "ask its operator before the first sync: such a service deletes with each request the"
            ' records of the one before; set mode = "snapshot" below [connection.bulk] then'
        )
        return CheckResult(step, True, f"{unknown} without writing", fix)
    means = "snapshot: the service deletes what a file leaves out, with all that lies below it"
    return CheckResult(step, True, means)


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
