"""The pages for people: what is in the world, and the block to paste into a configuration.

Read-only, and without the secret: only its place is shown. Served to this machine only, because
these pages need no sign-in.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from localtwin.api.access.login import SIGN_IN_RULE
from localtwin.api.hosts import host_name, is_loopback
from localtwin.api.links import origin
from localtwin.api.pages.html import Cell, Html, anchor, moment, page, table, tag
from localtwin.api.pages.imodel import IModelPage, changeset_picture, mark
from localtwin.world.imodels.imodels import IModel
from localtwin.world.itwins import ITwin
from localtwin.world.synchronization.runs import COMPLETED
from localtwin.world.world import World

_ITWINS = 20  # a page for a look; the APIs have the whole
_IMODELS = 50
_CONNECTIONS = 50
_ELSEWHERE = "This page is shown on the machine itself only, under 127.0.0.1 or localhost.\n"


def router(world: World) -> APIRouter:
    """Return the routes of the pages."""
    routes = APIRouter(tags=["localtwin"], include_in_schema=False)

    @routes.get("/")
    def home(request: Request) -> Response:
        """Show the iTwins with their iModels."""
        return Overview(world).show(origin(request)) if _is_here(request) else _elsewhere()

    @routes.get("/view/{imodel_id}")
    def imodel(request: Request, imodel_id: str) -> Response:
        """Show one iModel with its connections, runs and changesets."""
        return IModelPage(world).show(imodel_id) if _is_here(request) else _elsewhere()

    @routes.get("/view/{imodel_id}/changesets/{index}.svg")
    def picture(request: Request, imodel_id: str, index: int) -> Response:
        """Show what one changeset changed, seen from above."""
        return changeset_picture(world, imodel_id, index) if _is_here(request) else _elsewhere()

    return routes


class Overview:
    """The first page, made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._busy = self._synchronized = False

    def show(self, url: str) -> HTMLResponse:
        """Return the page; `url` is where the browser reached this server."""
        found = self._world.itwins.page(skip=0, top=_ITWINS + 1, newest_first=True)
        sections = [self._itwin(itwin) for itwin in found[:_ITWINS]]
        more = [tag("p", f"Only the newest {_ITWINS} iTwins are shown.", kind="dim")]
        return page(
            "localtwin",
            tag("h1", "localtwin"),
            tag("p", "The iTwin Platform on this computer. It keeps everything in ",
                tag("code", str(self._world.folder.resolve())), "."),
            *([] if self._synchronized else [_BEGIN]),
            *sections,
            *(more if len(found) > _ITWINS else []),
            self._configuration(url, opened=not self._synchronized),
            live=self._busy,
        )  # fmt: skip

    def _itwin(self, itwin: ITwin) -> Html:
        imodels = self._world.imodels.page(itwin.id, skip=0, top=_IMODELS + 1)
        rows = [self._imodel(imodel) for imodel in imodels[:_IMODELS]]
        more = f"Only the first {_IMODELS} iModels are shown." if len(imodels) > _IMODELS else ""
        titles = ("iModel", "Connections", "Changesets", "Last run (UTC)", "Result")
        return tag(
            "section",
            tag("h2", itwin.display_name, " ", tag("small", "iTwin ", tag("code", itwin.id))),
            table(titles, rows) if rows else tag("p", "No iModel yet.", kind="dim"),
            tag("p", more, kind="dim") if more else "",
        )

    def _imodel(self, imodel: IModel) -> tuple[Cell, ...]:
        connections = self._world.connections.page(None, imodel.id, skip=0, top=_CONNECTIONS + 1)
        run = self._world.runs.newest(imodel.id)
        newest = self._world.imodels.changesets(imodel.id, top=1, newest_first=True)
        self._busy |= run is not None and run.state != COMPLETED
        self._synchronized |= run is not None
        return (
            tag("div", anchor(f"/view/{imodel.id}", imodel.name)),
            f"{_CONNECTIONS}+" if len(connections) > _CONNECTIONS else str(len(connections)),
            str(newest[0].index if newest else 0),
            moment(run.started) if run else tag("span", "none yet", kind="dim"),
            mark(run) if run else "",
        )

    def _configuration(self, url: str, *, opened: bool) -> Html:
        made, secret = self._world.credentials, self._world.folder.resolve() / "credentials.json"
        block = (
            f'[platform]\napi_url = "{url}"\nissuer_url = "{url}"\n\n'
            f'[auth]\nkind = "service"\nclient_id = "{made.client_id}"\n'
            f"# the secret is in {secret}\n"
            f'client_secret = "..."\n'
        )
        summary = tag("summary", "Configuration for twinsyncd.toml")
        inner = f"{summary}{tag('pre', block)}{tag('p', SIGN_IN_RULE)}"
        return Html(f"<details{' open' if opened else ''}>{inner}</details>")


_BEGIN = tag(
    "p",
    "Nothing has been synchronized yet. ",
    tag("code", "twinsyncd local"),
    " has printed a configuration; save it as twinsyncd.toml, name a folder with drawings in it, "
    "and run ",
    tag("code", "twinsyncd sync --config twinsyncd.toml"),
    ".",
)


def _is_here(request: Request) -> bool:
    """Return whether a browser of this machine asks, under a loopback name."""
    caller = request.client.host if request.client else ""
    return is_loopback(caller) and is_loopback(host_name(request.headers.get("host", "")))


def _elsewhere() -> Response:
    return PlainTextResponse(_ELSEWHERE, 403)
