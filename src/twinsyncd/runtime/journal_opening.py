"""Opens the journal that a daemon writes: alone, patiently, and anew if it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import structlog
from filelock import FileLock, Timeout

from ..config import Config
from ..core.model import LaneKey
from ..errors import JournalDamaged, JournalError, JournalGone, unusable_folder
from ..journal.damage import AGAIN_S, is_damaged, set_aside, set_aside_ones
from ..journal.database import make_folder, open_database
from ..journal.lease_book import LeaseBook
from ..journal.location import Server
from ..journal.writer import Journal
from .clock import read_clock
from .journal_place import JournalPlace, identity_of
from .lease_keeper import LeaseKeeper, WorkShare
from .machine_lock import refuse_rivals, serving_alone
from .patience import Patience
from .patient_journal import PatientJournal
from .shared_work import NOTIFIER, home_of, lanes_for, lanes_in
from .state import LOCK, journal_file, journal_of
from .systemd import notify
from .trouble import TroubleFile

log = structlog.get_logger()

LOCK_S: Final = 1.0  # `status` holds the lock for an instant to see whether anybody does


@contextmanager
def open_journal(
    config: Config, *, patient: bool, share: WorkShare | None = None
) -> Iterator[PatientJournal]:
    """Yield the journal; `patient`: wait for it while it cannot be used, as a daemon does.

    Only one process of a machine may hold its state folder: `share` is of one that does already,
    and shares a journal on a server with other machines. Raises JournalError.
    """
    file = journal_file(config)
    with ExitStack() as stack:
        patience = stack.enter_context(_patience(file.parent, is_patient=patient))
        if share is not None:
            journal = stack.enter_context(_shared(config, share, patience))
            yield PatientJournal(journal, patience)
            return
        stack.enter_context(held_folder(file.parent, patience))
        locked = identity_of(file.with_name(LOCK))
        stack.enter_context(serving_alone(config))
        patience.begin()  # its file takes its space now, as long as there is some
        stack.enter_context(_damage_set_aside(file, patience))
        journal = patience.call(lambda: _opened(file), needs_person=True)
        stack.callback(journal.close)
        if identity_of(file.with_name(LOCK)) != locked:  # nobody would see that this process runs
            raise JournalGone(
                f"the state folder {file.parent} was replaced while its journal was waited for",
                hint="run it again: it is opened anew",
            )
        yield PatientJournal(journal, patience, JournalPlace(file))


@contextmanager
def _patience(folder: Path, *, is_patient: bool) -> Iterator[Patience]:
    trouble = TroubleFile(folder)
    patience = Patience(trouble, is_patient=is_patient)
    patience.alive = lambda: notify("WATCHDOG=1")
    try:
        yield patience
    finally:
        trouble.close()


@contextmanager
def held_folder(folder: Path, patience: Patience) -> Iterator[None]:
    """Hold the state folder, for this process alone. Raises JournalError."""
    with ExitStack() as stack:
        patience.call(lambda: make_folder(folder))
        patience.call(lambda: stack.enter_context(_lock(folder / LOCK)))
        yield


@contextmanager
def _shared(config: Config, share: WorkShare, patience: Patience) -> Iterator[Journal]:
    """Yield a journal on a server, which commits only what is about this share of the work."""
    where, lanes_of = journal_of(config), lanes_in(config)
    refuse_rivals(config)
    patience.begin()
    journal = patience.call(
        lambda: Journal(open_database(where), share.member, lanes_of), needs_person=True
    )
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def sharing(config: Config, *, patient: bool) -> Iterator[PatientKeeper]:
    """Yield what keeps this machine's share, where several share a journal on a server.

    Its iModels are free for others afterwards. Raises JournalError.
    """
    folder, where = journal_file(config).parent, journal_of(config)
    assert isinstance(where, Server), "a file is shared by nobody"
    with ExitStack() as stack:
        patience = stack.enter_context(_patience(folder, is_patient=patient))
        stack.enter_context(held_folder(folder, patience))
        home, name, standby = home_of(folder), config.daemon.machine_name, config.daemon.standby
        book = patience.call(
            lambda: LeaseBook(where, name, home, is_standby=standby), needs_person=True
        )
        stack.callback(book.close)
        keeper = LeaseKeeper(book, lanes_for(config), is_standby=standby)
        stack.callback(keeper.close)
        patience.call(keeper.start, needs_person=True)
        yield PatientKeeper(keeper, patience)


@contextmanager
def own_share(config: Config) -> Iterator[WorkShare | None]:
    """Yield all that this machine can serve, for a command; None if the journal is in a file.

    Raises JournalError if another machine serves some of it.
    """
    if config.daemon.journal is None:
        yield None
        return
    with sharing(config, patient=False) as group:
        share = group.next_share()
        lanes = share.lanes if share else frozenset[LaneKey]()
        if share is None or (missing := lanes_for(config) - lanes - {NOTIFIER}):
            number = len(missing) if share else len(config.connection)
            raise JournalError(
                f"other machines serve {number} iModels of this configuration, or have just begun",
                hint="try again in a minute: the daemons there are asked to do it then",
                may_pass=True,
            )
        yield share


class PatientKeeper:
    """Waits for a share of the work, however long the server cannot be used."""

    def __init__(self, keeper: LeaseKeeper, patience: Patience) -> None:
        """`keeper` is closed by whoever opened it."""
        self.keeper = keeper
        self._patience = patience

    def next_share(self) -> WorkShare | None:
        """Return what to serve now, or None if there is nothing. Raises JournalError."""
        return self._patience.call(self.keeper.next_share)


def _opened(file: Path) -> Journal:
    """Open the journal, or a new one in the place of a damaged one. Raises JournalError."""
    try:
        return Journal(open_database(file))
    except JournalDamaged as exc:
        if _set_aside(file, exc) is None:
            raise _damaged_again(file, exc) from exc
        return Journal(open_database(file))


@contextmanager
def _damage_set_aside(file: Path, patience: Patience) -> Iterator[None]:
    """Set the journal aside once it is closed, if damage of it ended its use.

    Raises JournalGone then: whoever uses it opens the new one. Where it is left to a person, the
    daemon waits for that person.
    """
    try:
        yield
    except JournalDamaged as exc:
        damage = exc
        kept = patience.call(lambda: _kept_or_mended(file, damage, patience), needs_person=True)
        raise JournalGone(
            f"the journal {file} was damaged" + (f", and is kept as {kept}" if kept else ""),
            hint="run it again: a new one is made, and what Storage has is not uploaded again",
        ) from exc


def _kept_or_mended(file: Path, damage: JournalDamaged, patience: Patience) -> Path | None:
    """Return where the damaged journal is kept now; None once it is well, or another one is there.

    Raises `damage` while neither is so, and where nobody waits for it.
    """
    kept = _set_aside(file, damage)
    if kept is None and (not patience.is_patient or is_damaged(file)):
        raise _damaged_again(file, damage)
    return kept


def _damaged_again(file: Path, damage: JournalDamaged) -> JournalDamaged:
    """Return the error, with what to do if another journal was damaged within the last hour."""
    last = max((each.at_s for each in set_aside_ones(file)), default=0.0)
    if read_clock().wall_s - last >= AGAIN_S or not is_damaged(file):
        return damage
    return JournalDamaged(
        f"{damage}; it is the second within an hour, so the disk of the state folder is at fault",
        hint="check that disk, or set state_folder in the configuration to a folder on another;"
        f" then move {file} away: a new one is made, and what Storage has is not uploaded again",
    )


def _set_aside(file: Path, exc: JournalDamaged) -> Path | None:
    kept = set_aside(file, read_clock().wall_s)
    if kept is not None:
        log.error("journal.damaged", file=str(file), kept=str(kept), reason=str(exc))
    return kept


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    lock = FileLock(file, timeout=LOCK_S)
    try:
        lock.acquire()
    except Timeout as exc:
        raise JournalError(
            f"another twinsyncd keeps the journal in {file.parent}",
            hint="it does the work already: ask it with `twinsyncd sync` or `twinsyncd status`",
        ) from exc
    except OSError as exc:
        raise unusable_folder(file.parent, exc) from exc
    try:
        yield
    finally:
        lock.release()
