"""The page's routes: what a browser, a monitoring system or a program asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..core.facts import (
    ApproveAsked,
    PauseAsked,
    PersonFact,
    PublishAsked,
    ResumeAsked,
    RetryAsked,
    SyncAsked,
)
from ..core.model import ConnectionKey, FileKey, HeldSource, SourceKey
from ..errors import AppError, JournalError
from ..runtime.bulk_records import delivery_of, file_line
from ..runtime.file_doubts import doubt
from ..runtime.file_state import explain_file
from ..runtime.open_files import open_file
from ..runtime.source_reports import is_still_so
from ..runtime.status_document import status_document
from ..runtime.status_model import status_schema
from .access import COOKIE, SIGNED_IN_S, Access, Guard
from .health import health_of
from .live import LiveParts
from .metrics import CONTENT_TYPE, WINDOW_S, metrics_of
from .overview import DAYS, read_overview
from .page_data import PageData
from .pages import Pages

STATIC: Final = Path(__file__).parent / "static"
FORM_MAX: Final = 64 * 1024  # bytes; our own forms are far smaller
EVENTS_MAX: Final = 200
QUOTED: Final = ("connection", "source", "path", "drive", "missing")

FOR_PROGRAMS: Final = ("/api/", "/healthz", "/livez", "/metrics")

DONE: Final = {
    "sync": "Asked for a sync: every folder is scanned and the cloud is compared now.",
    "retry": "Asked: it is tried again now.",
    "publish": "Asked: what has changed is run as soon as it is uploaded.",
    "pause": "Asked for a pause: what is on its way is finished, and nothing new is begun.",
    "resume": "Asked: it goes on now.",
    "changed": "Not approved: what is missing has changed since this page was loaded. Look at what "
    "is listed now, and approve that if it is meant.",
    "approve": "Approved what was listed; if more is missing by then, you are asked again.",
}
"""What is said after a button was pressed."""


class StatusPage:
    """Answers every request about one daemon."""

    def __init__(self, data: PageData, access: Access, *, signs_in: bool) -> None:
        """Read from `data`; `signs_in`: there is a token."""
        self._data = data
        self._access = access
        self._pages = Pages(access.form_key, signs_in=signs_in)
        self._live = LiveParts(self._parts)

    def overview(self, request: Request) -> Response:
        """Show how everything stands."""
        done = DONE.get(request.query_params.get("done", ""), "")
        view = read_overview(self._data, _days(request))
        parts = self._pages.sections(view)
        return HTMLResponse(self._pages.render("overview", parts=parts, view=view, done=done))

    def file(self, request: Request) -> Response:
        """Show one file: where it stands, and what happened to it."""
        key = FileKey(
            SourceKey(request.query_params.get("source", "")), request.query_params.get("path", "")
        )
        row, events = self._data.row(key), self._data.events(key, EVENTS_MAX)
        report = self._data.report()
        lane, now_s = report.lane_of(key.source), self._data.now_s()
        delivery = delivery_of(report, key)
        _, done = explain_file(row, ignored=False)
        state, synced = explain_file(
            row, ignored=False, doubt=doubt(report, key), delivery=delivery, lane=lane
        )
        page = self._pages.render(
            "file",
            key=key,
            row=row,
            state=state,
            synced=synced,
            opened=open_file(row, lane, now_s) if row and not done else None,
            events=list(reversed(events)),
            delivery=delivery,
            records=file_line(delivery) if delivery else "",
            done=DONE.get(request.query_params.get("done", ""), ""),
        )
        return HTMLResponse(page, 200 if row or events else 404)

    def files(self, request: Request) -> Response:
        """Find files by a part of their path."""
        text = request.query_params.get("q", "").strip()
        report = self._data.report()
        found = [
            (row, *explain_file(row, ignored=False, doubt=doubt(report, row.key)))
            for row in self._data.find(text)
        ]
        return HTMLResponse(self._pages.render("files", text=text, found=found))

    def live(self, request: Request) -> Response:
        """Send the parts of the first page that change."""
        return self._live.answer(request, _days(request))

    async def ask(self, request: Request) -> Response:
        """Leave a request for the daemon, pressed by a person on a page of ours."""
        form = await _form(request)
        if not self._access.is_ours(request, form.get("key", "")):
            text = "This button is of a page from before a restart, or of another site."
            return self._problem(
                "Not done", text, "Go back, reload the page, and press again.", 403
            )
        fact = _fact(form)
        if fact is None:
            return self._problem("Not done", "The form is not complete.", "Reload the page.", 400)
        done = {"done": await run_in_threadpool(self._ask, fact) or form["action"]}
        file = {name: form[name] for name in ("source", "path") if form.get("back") == "file"}
        target = f"/file?{urlencode({**file, **done})}" if file else f"/?{urlencode(done)}"
        return RedirectResponse(target, 303)

    def _ask(self, fact: PersonFact) -> str:
        """Leave the request; return why it is left out, as a key of DONE, or ""."""
        if isinstance(fact, ApproveAsked):
            holds = [hold for each in self._data.report().connections for hold in each.holds]
            if not all(is_still_so(each, holds) for each in fact.findings):
                return "changed"
        self._data.ask(fact)
        return ""

    def sign_in(self, _request: Request) -> Response:
        """Show the form for the token."""
        return HTMLResponse(self._pages.render("sign_in", wrong=False))

    async def signed_in(self, request: Request) -> Response:
        """Take the token, and remember it in this browser."""
        form = await _form(request)
        cookie = self._access.cookie(form.get("token", "").strip())
        if cookie is None or not self._access.is_ours(request, form.get("key", "")):
            return HTMLResponse(self._pages.render("sign_in", wrong=True), 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=SIGNED_IN_S,
            secure=self._access.is_secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Forget the token in this browser."""
        form = await _form(request)
        answer = RedirectResponse("/sign-in", 303)
        if self._access.is_ours(request, form.get("key", "")):
            answer.delete_cookie(COOKIE)
        return answer

    def status(self, _request: Request) -> Response:
        """Return the state for programs."""
        now_s = self._data.now_s()
        figures = self._data.figures(now_s - WINDOW_S)
        document = status_document(self._data.report(), figures, now_s)
        return JSONResponse(document.model_dump(mode="json"))

    def health(self, request: Request) -> Response:
        """Return whether everything works, and why not; /livez: whether the daemon does."""
        now_s = self._data.now_s()
        found = health_of(self._data.report(), now_s)
        if request.url.path == "/livez":
            return PlainTextResponse(
                "alive\n" if found.alive else "not alive\n", _code(found.alive)
            )
        values = {"healthy": found.is_well, "reasons": found.reasons, "waits": found.waits}
        return JSONResponse(values, _code(found.is_well))

    def metrics(self, _request: Request) -> Response:
        """Return the figures as Prometheus reads them."""
        return Response(b"".join(metrics_of(self._data)), media_type=CONTENT_TYPE)

    def failed(self, request: Request, error: Exception) -> Response:
        """Say why the journal cannot be read."""
        hint = error.hint if isinstance(error, AppError) else ""
        if request.url.path.startswith(FOR_PROGRAMS):
            values = {"healthy": False, "reasons": [str(error)], "error": str(error), "hint": hint}
            return JSONResponse(values, 503)
        return self._problem("Nothing can be shown", str(error), hint, 503)

    def _problem(self, title: str, text: str, hint: str, status: int) -> Response:
        return HTMLResponse(
            self._pages.render("problem", title=title, text=text, hint=hint), status
        )

    def _parts(self, days: int) -> dict[str, str]:
        return self._pages.sections(read_overview(self._data, days))


def create_app(data: PageData, access: Access, *, signs_in: bool = False) -> Starlette:
    """Return the page as an ASGI application."""
    page = StatusPage(data, access, signs_in=signs_in)
    return Starlette(
        routes=[
            Route("/", page.overview),
            Route("/file", page.file),
            Route("/files", page.files),
            Route("/live", page.live),
            Route("/ask", page.ask, methods=["POST"]),
            Route("/sign-in", page.sign_in),
            Route("/sign-in", page.signed_in, methods=["POST"]),
            Route("/sign-out", page.sign_out, methods=["POST"]),
            Route("/api/status", page.status),
            Route("/api/status/schema", lambda _request: JSONResponse(status_schema())),
            Route("/healthz", page.health),
            Route("/livez", page.health),
            Route("/metrics", page.metrics),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={JournalError: page.failed},
    )


def _code(is_well: bool) -> int:
    return 200 if is_well else 503


def _days(request: Request) -> int:
    chosen = request.query_params.get("days", "")
    return int(chosen) if chosen in {str(each) for each in DAYS} else DAYS[0]


async def _form(request: Request) -> dict[str, str]:
    """Return the first value of each field; nothing if the body is no form of ours.

    Names of files are quoted in our forms, since a page may not hold every character.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    quoted = {name: values[0] for name, values in fields.items()}
    return {name: unquote(value) if name in QUOTED else value for name, value in quoted.items()}


def _fact(form: dict[str, str]) -> PersonFact | None:
    """Return what was asked for; None if the form does not say it completely."""
    source, path = SourceKey(form.get("source", "")), form.get("path", "")
    connection = ConnectionKey(form.get("connection", ""))
    match form.get("action"):
        case "sync":
            return SyncAsked()
        case "retry":
            return RetryAsked(FileKey(source, path) if source else None)
        case "publish" if connection:
            return PublishAsked(connection)
        case "pause" if connection:
            return PauseAsked(connection)
        case "resume" if connection:
            return ResumeAsked(connection)
        case "approve" if source and form.get("missing", "").isdecimal():
            drive, mark = form.get("drive", ""), form.get("mark", "")
            return ApproveAsked((HeldSource(source, drive, int(form["missing"]), mark),))
        case _:
            return None
