"""The page of one iModel: its connections with their runs, and its changesets."""

from __future__ import annotations

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from localtwin.api.pages.html import (
    Cell,
    Html,
    anchor,
    image,
    lasted,
    moment,
    page,
    picture,
    size,
    table,
    tag,
)
from localtwin.errors import NotFound
from localtwin.imodel.picture_files import picture_of
from localtwin.world.imodels.imodels import Changeset
from localtwin.world.synchronization.connections import Connection
from localtwin.world.synchronization.runs import COMPLETED, Run, Task
from localtwin.world.synchronization.task_results import remarks_in
from localtwin.world.world import World

_CONNECTIONS = 50
_RUNS = 10
_CHANGESETS = 50
_FILES = 8  # named per run or changeset; a first synchronization may have thousands
_MARKS = {
    "Success": ("good", "succeeded"),
    "Skipped": ("dim", "nothing to do"),
    "PartialSuccess": ("odd", "succeeded in part"),
    "TimedOut": ("bad", "timed out"),
    "Error": ("bad", "failed"),
}


class IModelPage:
    """The page of an iModel, made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._busy = False

    def show(self, imodel_id: str) -> HTMLResponse:
        """Return the page; 404 with an explanation when there is no such iModel."""
        back = tag("p", anchor("/", "localtwin"), " / ")
        try:
            imodel = self._world.imodels.get(imodel_id)
        except NotFound:
            gone = page("localtwin", back, tag("h1", "There is no such iModel any more."))
            gone.status_code = 404
            return gone
        itwin = self._world.itwins.get(imodel.itwin_id)
        connections = self._world.connections.page(None, imodel.id, skip=0, top=_CONNECTIONS + 1)
        changesets = self._world.imodels.changesets(imodel.id, top=_CHANGESETS, newest_first=True)
        shown = [self._connection(connection) for connection in connections[:_CONNECTIONS]]
        return page(
            imodel.name,
            tag("p", anchor("/", "localtwin"), " / ", itwin.display_name),
            tag("h1", imodel.name),
            tag("small", "iModel ", tag("code", imodel.id)),
            *(shown or [tag("p", "No connection yet: nothing brings files here.", kind="dim")]),
            _only(len(connections), _CONNECTIONS, "connections", which="first"),
            tag("h2", "Changesets"),
            self._changesets(changesets),
            _only(changesets[0].index if changesets else 0, _CHANGESETS, "changesets"),
            live=self._busy,
        )

    def _connection(self, connection: Connection) -> Html:
        runs = self._world.runs.page(
            connection.kind, connection.id, skip=0, top=_RUNS + 1, newest_first=True
        )
        self._busy |= any(run.state != COMPLETED for run in runs[:1])
        title = connection.display_name or "Unnamed connection"
        named = tag("small", f"{connection.kind} connection ", tag("code", connection.id))
        titles = ("Run started (UTC)", "Took", "Files", "Result")
        rows = [_run(run) for run in runs[:_RUNS]]
        return tag(
            "section",
            tag("h2", title, " ", named),
            table(titles, rows, f"Runs of {title}")
            if rows
            else tag("p", "It has never run.", kind="dim"),
            _only(len(runs), _RUNS, "runs"),
        )

    def _changesets(self, changesets: list[Changeset]) -> Html:
        if not changesets:
            return tag("p", "None yet: no run has found anything to write.", kind="dim")
        titles = ("#", "Pushed (UTC)", "Inserted", "Updated", "Deleted", "Size", "From")
        rows = [
            (
                entry.index,
                moment(entry.pushed),
                entry.inserted,
                entry.updated,
                entry.deleted,
                size(entry.size_bytes),
                self._origin(entry),
            )
            for entry in changesets
        ]
        return table(titles, rows, "Changesets")

    def _origin(self, entry: Changeset) -> Html:
        """Return the files that the changeset comes from, and its picture if there is one."""
        names = ", ".join(entry.changed_files[:_FILES])
        shown = Html("")
        if picture_of(self._world.imodels.changeset_file(entry)).is_file():
            address = f"/view/{entry.imodel_id}/changesets/{entry.index}.svg"
            shown = image(address, f"Plan of changeset {entry.index}: {entry.description}")
        return tag("div", names, _and_more(entry.changed_files), shown)


def changeset_picture(world: World, imodel_id: str, index: int) -> Response:
    """Return the plan view that the worker drew of a changeset; 404 if there is none."""
    try:
        entry = world.imodels.changeset(imodel_id, str(index))
        return picture(picture_of(world.imodels.changeset_file(entry)).read_text("utf-8"))
    except (NotFound, FileNotFoundError):
        return PlainTextResponse("There is no such picture.\n", 404)


def mark(run: Run) -> Html:
    """Return the status of a run as a coloured word."""
    if run.state != COMPLETED:
        return tag("span", "waiting" if run.state == "Queued" else "running", kind="busy")
    kind, word = _MARKS.get(run.result, ("odd", run.result))
    return tag("span", word, kind=kind)


def _run(run: Run) -> tuple[Cell, ...]:
    failed = [task for task in run.tasks if task.error]
    parts: list[Cell] = [mark(run)]
    if run.error is not None:
        parts.append(tag("p", str(run.error.get("description", ""))))
    elif failed:
        parts.append(tag("ul", *(tag("li", _failure(task)) for task in failed[:_FILES])))
        parts.append(_and_more(failed))
    noted = [task for task in run.tasks if remarks_in(task.report or "")]
    if noted:
        parts.append(tag("ul", *(tag("li", _remarks(task)) for task in noted[:_FILES])))
        parts.append(_and_more(noted))
    return (
        moment(run.started),
        lasted(run.started, run.ended),
        len(run.tasks),
        tag("div", *parts),
    )


def _remarks(task: Task) -> Html:
    return tag("span", tag("b", task.name), ": ", remarks_in(task.report or ""))


def _failure(task: Task) -> Html:
    error = task.error or {}
    said = [str(error.get(name, "")) for name in ("message", "description")]
    texts = list(dict.fromkeys(text for text in said if text))
    return tag("span", tag("b", task.name), ": ", " ".join(texts))


def _and_more(named: list[str] | list[Task]) -> Html:
    rest = len(named) - _FILES
    return tag("span", f" and {rest:,} more", kind="dim") if rest > 0 else Html("")


def _only(found: int, shown: int, what: str, *, which: str = "newest") -> Html:
    text = f"Only the {which} {shown} {what} are shown; the API has all."
    return tag("p", text, kind="dim") if found > shown else Html("")
