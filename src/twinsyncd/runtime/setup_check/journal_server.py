"""Examines the PostgreSQL server of a journal: reached, version, rights, answer time, clock."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Final

from ...cloud.access_check import CheckResult
from ...config import Config
from ...errors import JournalError
from ...journal.location import Server
from ...journal.server_check import ServerFacts, examine
from ..formatting import duration
from ..shared_work import NOTIFIER, lanes_for
from ..state import is_running, journal_of

OLDEST: Final = 130_000  # PostgreSQL 13
SLOW_S: Final = 0.05  # a commit takes four of them; a scan of much that changed takes thousands
SKEW_S: Final = 5.0


def server_results(config: Config) -> Iterator[CheckResult]:
    """Yield what stands against the server of the journal; nothing if the journal is a file."""
    server = journal_of(config)
    if not isinstance(server, Server):
        return
    step = f"use the journal {server}"
    if importlib.util.find_spec("psycopg") is None:
        return  # the libraries are examined elsewhere
    try:
        facts = examine(server)
    except JournalError as exc:
        yield CheckResult(step, False, str(exc), exc.hint or "twinsyncd manual operations")
        return
    found = f"PostgreSQL {facts.version} answers in {1000 * facts.answer_s:.1f} ms"
    found += ", which is slow" if facts.answer_s > SLOW_S else ""
    fix = "use a server in the same network" if facts.answer_s > SLOW_S else ""
    yield CheckResult(step, True, found, fix)
    yield from _against(server, facts)
    yield from _share(config)


def _against(server: Server, facts: ServerFacts) -> Iterator[CheckResult]:
    if facts.number < OLDEST:
        found, fix = f"PostgreSQL {facts.version} is too old", "use PostgreSQL 13 or newer"
        yield CheckResult("know the server's version", False, found, fix)
    if facts.is_standby:
        fix = "name the primary server in journal in [daemon]"
        yield CheckResult("write to the server", False, "it is a standby that only reads", fix)
    if facts.encoding != "UTF8":
        found = f"its database has the encoding {facts.encoding}, so some names cannot be kept"
        fix = "let its administrator make a database with ENCODING 'UTF8' TEMPLATE template0"
        yield CheckResult("keep every file name", False, found, fix)
    if not facts.may_create:
        what = "tables in it" if facts.has_schema else "it"
        found = f"the account {facts.account} cannot create {what}"
        fix = f'let its administrator run: CREATE SCHEMA "{server.schema}" AUTHORIZATION'
        fix += f' "{facts.account}"'
        if facts.has_schema:
            fix = f'let its administrator run: ALTER SCHEMA "{server.schema}" OWNER TO'
            fix += f' "{facts.account}"'
        yield CheckResult(f"use the schema {server.schema}", False, found, fix)
    if abs(facts.clock_s) > SKEW_S:
        found = f"this machine's clock is {duration(abs(facts.clock_s))} off the server's"
        fix = "let both follow a time server (chrony, systemd-timesyncd): times of events differ"
        yield CheckResult("compare the clocks", True, found, fix)
    backed_up = "its administrator backs it up; twinsyncd makes no copy before an upgrade"
    yield CheckResult(
        "have a backup of the journal",
        True,
        backed_up if facts.journal else f"there is none yet; {backed_up}",
    )


def _share(config: Config) -> Iterator[CheckResult]:
    number, name = len(lanes_for(config) - {NOTIFIER}), config.daemon.machine_name
    step = f'serve iModels as the machine "{name}"'
    if not number:
        fix = "set machine in [daemon], or delete machine at the sources that it can reach"
        yield CheckResult(step, False, "every iModel has a source of another machine", fix)
        return
    some = "daemons serve some now" if is_running(config) else "no daemon runs"
    role = ", as a standby" if config.daemon.standby else ""
    yield CheckResult(step, True, f"it can serve {number}{role}; {some}")
