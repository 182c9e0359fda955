"""Builds the notifications from the configuration; what they are sent with is optional."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ..config import Config, Notify
from ..errors import AppError, how_to_install
from ..notify.messages import trial_words
from ..notify.notifier import PING, Facts, Habits, NoticeJournal, Notifier
from ..notify.ping import ping
from ..notify.plan import Timing

if TYPE_CHECKING:
    from ..notify.targets import Target


class OutletNames(Protocol):
    """What the journal forgets by."""

    def keep_outlets(self, names: Collection[str]) -> None:
        """Forget the outlets that are not configured any more."""


def outlet_names(config: Config) -> list[str]:
    """Return how status calls each target. Raises AppError."""
    if config.notify is None:
        return []
    targets, escalation = targets_of(config.notify)
    names = [each.name for each in (*targets, *escalation)]
    return [*names, PING] if config.notify.ping_url else names


@contextmanager
def notifying(config: Config, facts: Facts, journal: NoticeJournal) -> Iterator[None]:
    """Notify people while the context lasts, if it is configured. Raises AppError."""
    if config.notify is None:
        yield
        return
    targets, escalation = targets_of(config.notify)
    url = config.notify.ping_url
    if not (targets or escalation or url):
        yield
        return
    send_ping = partial(ping, url.get_secret_value()) if url else None
    habits = habits_of(config.notify)
    with Notifier(facts, journal, targets, escalation=escalation, ping=send_ping, habits=habits):
        yield


def try_targets(config: Config) -> Iterator[tuple[str, str]]:
    """Send a test to every target; yield its name and why it was not taken. Raises AppError."""
    targets, escalation = targets_of(config.notify) if config.notify else ([], [])
    if config.notify is None or not (targets or escalation or config.notify.ping_url):
        hint = "add [notify] with urls_file; see: twinsyncd manual monitoring"
        raise AppError("no notifications are configured", hint=hint)
    for target in (*targets, *escalation):
        yield target.name, target.send(*trial_words())
    if url := config.notify.ping_url:
        yield PING, ping(url.get_secret_value())


def targets_of(notify: Notify) -> tuple[list[Target], list[Target]]:
    """Return the targets of every message, and those of reminders. Raises AppError."""
    try:
        urls, more = notify.targets(), notify.escalation_targets()
    except OSError as exc:
        message = f"{notify.urls_file} cannot be read: {exc.strerror}"
        raise AppError(message, hint="let the account that twinsyncd runs as read it") from exc
    if not (urls or more):
        return [], []
    try:
        from ..notify.targets import targets_of as make  # noqa: PLC0415 - the library is optional
    except ImportError as missing:
        raise AppError(
            f"[notify] needs a part that is not installed ({missing.name})",
            hint=how_to_install("notify") + "   (or delete [notify])",
        ) from missing
    return make(urls), make(more, len(urls) + 1)


def habits_of(notify: Notify) -> Habits:
    """Return when people are told."""
    hour, _, minute = notify.digest_at.partition(":")
    return Habits(
        Timing(
            notify.group_for.total_seconds(),
            notify.outage_after.total_seconds(),
            notify.escalate_after.total_seconds(),
        ),
        (int(hour), int(minute)) if hour else None,
        notify.ping_every.total_seconds(),
    )
