"""Reaches people beside the engine: the page, and notifications. Both are optional."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ..config import Config, Page
from ..core.model import LaneKey
from ..errors import AppError, JournalError, how_to_install
from ..journal.outlets import Outlet
from ..journal.requests import Request
from ..notify.notifier import NoticeJournal
from .clock import read_clock
from .notify_wiring import notifying, outlet_names
from .page_data import JournalPageData

if TYPE_CHECKING:
    from ..web.access import Access

PAGE: Final = "page"

log = structlog.get_logger()


class OutletJournal(NoticeJournal, Protocol):
    """What of the journal is needed here; for any thread."""

    def leave_request(self, request: Request, now_s: float, lane: LaneKey | None) -> None:
        """Add a request, about an iModel or all, to those that are not handled yet."""

    def keep_outlets(self, names: Collection[str]) -> None:
        """Forget the outlets that are not configured any more."""


@contextmanager
def people_reached(
    config: Config, journal: OutletJournal, *, notifies: bool = True
) -> Iterator[None]:
    """Serve the page and notify people while the context lasts, as configured. Raises AppError.

    Without `notifies` another machine notifies them.
    """
    config = config if notifies else config.model_copy(update={"notify": None})
    journal.keep_outlets([*([PAGE] if config.page else []), *outlet_names(config)])
    data = JournalPageData(config, journal.leave_request)

    def report(outlet: Outlet) -> None:
        try:
            journal.write_outlet(outlet)
        except JournalError as exc:  # the engine waits for the journal, and says so
            log.warning("outlet.not_noted", outlet=outlet.name, reason=str(exc))

    with served_page(config, data, report), notifying(config, data, journal):
        yield


@contextmanager
def served_page(
    config: Config, data: JournalPageData, report: Callable[[Outlet], None]
) -> Iterator[None]:
    """Serve the page while the context lasts, if it is configured.

    `report` gets how it is. Raises AppError when the libraries are not installed: that is for a
    person who begins, not for the night.
    """
    if config.page is None:
        yield
        return
    try:
        from ..web.app import create_app  # noqa: PLC0415 - the libraries are optional
        from ..web.serve import PageServer, Place  # noqa: PLC0415
    except ImportError as missing:
        raise AppError(
            f"[page] needs a part that is not installed ({missing.name})",
            hint=how_to_install("page") + "   (or delete [page])",
        ) from missing
    page = config.page
    place = Place(page.address, page.port, page.tls_certificate, page.tls_key)
    app = create_app(data, access_of(page), signs_in=page.has_token)

    def note(trouble: str) -> None:
        report(Outlet(PAGE, place.url, trouble, read_clock().wall_s))

    with PageServer(app, place, note):
        yield


def access_of(page: Page) -> Access:
    """Return who may see and press what."""
    from ..web.access import LOCAL_NAMES, Access  # noqa: PLC0415 - see above

    return Access(
        names=LOCAL_NAMES | {page.address, *page.names},
        token=page.secret,
        is_secure=page.tls_certificate is not None,
    )
