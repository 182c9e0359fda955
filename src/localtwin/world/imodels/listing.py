"""The iModels of a data folder, for whoever looks while a server may be using it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

IMODEL_FILE = "imodel.sqlite"


@dataclass(frozen=True, slots=True)
class ListedIModel:
    """One iModel; `file` exists once a run has written to it."""

    id: str
    name: str
    itwin: str
    file: Path


def listed_imodels(data: Path) -> list[ListedIModel]:
    """Return the iModels of the data folder by iTwin and name; none if it is not one.

    Only reads, so it works beside a server, and one of another release.
    """
    database = data / "world.sqlite"
    if not database.is_file():
        return []
    query = (
        "SELECT imodels.id, imodels.name, itwins.display_name FROM imodels"
        " JOIN itwins ON itwins.id = imodels.itwin_id ORDER BY 3, 2"
    )
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as found:
        rows = found.execute(query).fetchall()
    return [
        ListedIModel(imodel_id, name, itwin, data / "imodels" / imodel_id / IMODEL_FILE)
        for imodel_id, name, itwin in rows
    ]
