"""What localtwin holds, asked past the proxy and past the client under test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx

from localtwin.serve import Ready

from .acts import Harm

PATIENCE_S: Final = 60.0  # localtwin may just be starting again
LOOK_S: Final = 0.1
BRIEF_S: Final = 1.0  # what may be left undone must not hold a round up


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that Storage shows; `path` begins with the name of the top folder."""

    path: str
    item: str


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run as the platform tells it; times are wall clock [s]."""

    id: str
    connection: str
    started_s: float
    ended_s: float
    outcomes: dict[str, str]  # by storage file id: Success, Skipped, Error

    @property
    def wrote_nothing(self) -> bool:
        """Return whether every file had been taken in before."""
        return set(self.outcomes.values()) <= {"Skipped"}


class Platform:
    """A signed-in reader; every call is repeated while localtwin is starting."""

    def __init__(self, ready: Ready) -> None:
        """Sign in when first asked."""
        self._ready = ready
        self._http = httpx.Client(base_url=ready.api_url, follow_redirects=True, timeout=30.0)
        self._ended: dict[str, list[RunSeen]] = {}  # by connection; these do not change any more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def files(self) -> Iterator[StoredFile]:
        """Yield every file of the iTwin's Storage."""
        top = self._get("/storage", iTwinId=self._ready.itwin_id)["items"]
        folders = [(item["displayName"], item["id"]) for item in top if item["type"] == "folder"]
        while folders:
            path, folder = folders.pop()
            for item in self._get(f"/storage/folders/{folder}/list")["items"]:
                below = f"{path}/{item['displayName']}"
                if item["type"] == "folder":
                    folders.append((below, item["id"]))
                else:
                    yield StoredFile(below, item["id"])

    def content(self, item: str) -> bytes:
        """Return the bytes of a file in Storage."""
        return self._answer(f"/storage/files/{item}/download", {}).content

    def runs(self) -> list[RunSeen]:
        """Return every run of the iModel, oldest first."""
        base = "/synchronization/imodels/storageconnections"
        found = self._get(base, imodelId=self._ready.imodel_id)["connections"]
        runs: list[RunSeen] = []
        for each in found:
            ended = self._ended.setdefault(each["id"], [])
            listed = self._new_runs(f"{base}/{each['id']}/runs", {run.id for run in ended})
            new = [_run(each["displayName"], run) for run in reversed(listed)]
            runs += [*ended, *new]
            ended += [run for run in new if run.ended_s < float("inf")]
        return sorted(runs, key=lambda run: run.started_s)

    def start_run(self, connection: str) -> str:
        """Start a run as anybody may; return its id, "" if one is active or localtwin is not up."""
        base = "/synchronization/imodels/storageconnections"
        query = {"imodelId": self._ready.imodel_id}
        try:
            found = self._http.get(base, params=query, headers=self._headers(), timeout=BRIEF_S)
            ids = [c["id"] for c in found.json()["connections"] if c["displayName"] == connection]
            if not ids:
                return ""
            path = f"{base}/{ids[0]}/run"
            answer = self._http.post(
                path, headers=self._headers(), timeout=BRIEF_S, follow_redirects=False
            )
        except (httpx.HTTPError, KeyError, ValueError):
            return ""
        location = str(answer.headers.get("Location", ""))
        return location.rpartition("/")[2] if answer.status_code == 202 else ""

    def tamper(self, stored: StoredFile, harm: Harm) -> bool:
        """Do harm to a file as anybody may; return whether it was done."""
        try:
            match harm:
                case Harm.DELETE:
                    answer = self._http.delete(f"/storage/files/{stored.item}", **self._brief())
                case Harm.OVERWRITE:
                    answer = self._overwrite(stored.item)
                case Harm.UNMAP:
                    answer = self._unmap(stored)
        except (httpx.HTTPError, KeyError, ValueError, StopIteration):
            return False
        return answer.is_success

    def _overwrite(self, item: str) -> httpx.Response:
        path = f"/storage/files/{item}/updatecontent"
        links = self._http.post(path, **self._brief()).json()["_links"]
        blob = {"x-ms-blob-type": "BlockBlob"}
        url = links["uploadUrl"]["href"]
        sent = httpx.put(url, content=b"a stranger was here", headers=blob, timeout=BRIEF_S)
        sent.raise_for_status()
        return self._http.post(links["completeUrl"]["href"], **self._brief())

    def _unmap(self, stored: StoredFile) -> httpx.Response:
        base = "/synchronization/imodels/storageconnections"
        query = {"imodelId": self._ready.imodel_id}
        found = self._http.get(base, params=query, **self._brief()).json()["connections"]
        name = stored.path.partition("/")[0]
        path = f"{base}/{next(c['id'] for c in found if c['displayName'] == name)}/sourcefiles"
        listed = self._http.get(path, **self._brief()).json()["sourceFiles"]
        mapped = next(each["id"] for each in listed if each["storageFileId"] == stored.item)
        return self._http.delete(f"{path}/{mapped}", **self._brief())

    def _brief(self) -> dict[str, Any]:
        return {"headers": self._headers(), "timeout": BRIEF_S}

    def _new_runs(self, path: str, known: set[str]) -> list[dict[str, Any]]:
        """Return the runs that are not known yet, newest first as the platform lists them."""
        new: list[dict[str, Any]] = []
        while page := self._get(path, **{"$skip": len(new)})["runs"]:
            unknown = [run for run in page if run["id"] not in known]
            new += unknown
            if len(unknown) < len(page):
                break
        return new

    def _get(self, path: str, **query: str | int) -> Any:
        return self._answer(path, {"$top": 1000, **query}).json()

    def _answer(self, path: str, query: dict[str, str | int]) -> httpx.Response:
        end_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.get(path, params=query, headers=self._headers())
                if answer.status_code != 401 and answer.status_code < 500:
                    return answer.raise_for_status()
                self._http.headers.pop("Authorization", None)
            except httpx.TransportError:
                if time.monotonic() > end_s:
                    raise
            time.sleep(LOOK_S)

    def _headers(self) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "scope": "itwin-platform",
            "client_id": self._ready.client_id,
            "client_secret": self._ready.client_secret,
        }
        if "Authorization" not in self._http.headers:
            answer = self._http.post("/connect/token", data=form).raise_for_status()
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return {"Prefer": "return=representation"}


def _run(connection: str, run: dict[str, Any]) -> RunSeen:
    tasks = [task for job in run["jobs"] for task in job["tasks"]]
    ended = run["endDateTime"]
    return RunSeen(
        run["id"],
        connection,
        _moment_s(run["startDateTime"]),
        _moment_s(ended) if ended else float("inf"),
        {task["storageFileId"]: _outcome(task) for task in tasks},
    )


def _outcome(task: dict[str, Any]) -> str:
    """Return the task's result, Skipped for a file in which nothing had changed."""
    details = task["details"]
    said = details["synchronizationReport"]["message"] if details else None
    return "Skipped" if said == "No changes" else str(task["result"])


def _moment_s(text: str) -> float:
    return datetime.fromisoformat(text[:26] + "+00:00").timestamp()
