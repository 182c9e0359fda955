"""The page for people: what is in the world, and the block to paste into a configuration.

Read-only and without scripts; it shows no secret, only where the secret is.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from localtwin.api.links import origin
from localtwin.world.connections import Connection
from localtwin.world.imodels import IModel
from localtwin.world.world import World

_SHOWN = 50  # a page for a look; the APIs have the whole
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_STYLE = """body{font:15px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;
border-bottom:1px solid #8884;vertical-align:top}pre{background:#8882;padding:1rem;overflow:auto}
h3{margin-bottom:.3rem}code{font-size:90%}"""


def router(world: World) -> APIRouter:
    """Return the route of the page."""
    routes = APIRouter(tags=["localtwin"])

    @routes.get("/", include_in_schema=False)
    def home(request: Request) -> HTMLResponse:
        """Show what there is."""
        parts = [
            "<h1>localtwin</h1><p>The iTwin Platform on this computer.</p>",
            f"<pre>{escape(_configuration(world, origin(request)))}</pre>",
            *(
                _itwin(world, itwin.id, itwin.display_name)
                for itwin in world.itwins.page(skip=0, top=_SHOWN, newest_first=True)
            ),
        ]
        return HTMLResponse(_page("".join(parts)), headers=_HEADERS)

    return routes


def _configuration(world: World, url: str) -> str:
    secret = world.folder.resolve() / "credentials.json"
    return (
        f'[platform]\napi_url = "{url}"\nissuer_url = "{url}"\n\n'
        f'[auth]\nkind = "service"\nclient_id = "{world.credentials.client_id}"\n'
        f"# client_secret: in {secret}\n"
    )


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>localtwin</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _itwin(world: World, itwin_id: str, name: str) -> str:
    imodels = world.imodels.page(itwin_id, skip=0, top=_SHOWN)
    shown = "".join(_imodel(world, imodel) for imodel in imodels) or "<p>No iModel yet.</p>"
    return f"<h2>{escape(name)} <code>{itwin_id}</code></h2>{shown}"


def _imodel(world: World, imodel: IModel) -> str:
    connections = world.connections.page(None, imodel.id, skip=0, top=_SHOWN)
    changesets = world.imodels.changesets(imodel.id, top=10, newest_first=True)
    return "".join(
        [
            f"<h3>{escape(imodel.name)} <code>{imodel.id}</code></h3>",
            _table(
                ("Connection", "Kind", "Last run", "Result"),
                (_connection(world, connection) for connection in connections),
            ),
            _table(
                ("Changeset", "Pushed", "What it did"),
                ((str(c.index), c.pushed[:19], c.description or "") for c in changesets),
            ),
        ]
    )


def _connection(world: World, connection: Connection) -> tuple[str, ...]:
    run = world.runs.find(connection.last_run_id) if connection.last_run_id else None
    return (
        connection.display_name or connection.id,
        connection.kind,
        run.started[:19] if run else "none",
        f"{run.state}, {run.result}" if run else "",
    )


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "".join(f"<th>{title}</th>" for title in titles)
    return f"<table><tr>{head}</tr>{body}</table>" if body else ""
