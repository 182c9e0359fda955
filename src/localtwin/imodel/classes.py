"""The classes of an iModel's elements, models and relationships, by the name the source gives."""

import apsw

from localtwin.imodel.report import Changes
from localtwin.imodel.tally import Tally


class ClassRegistry:
    """Finds the id of a class, or adds the class; the caller holds the transaction."""

    def __init__(self, database: apsw.Connection, tally: Tally) -> None:
        self._run = database.execute
        self._tally = tally
        self._ids: dict[str, int] = {}

    def id_of(self, name: str) -> int:
        """Return the id of the class called `name`, "Schema:Class"."""
        if name not in self._ids:
            found = self._run("SELECT Id FROM ec_Class WHERE Name = ?", (name,)).get
            if found is None:
                found = self._run("INSERT INTO ec_Class VALUES (NULL, ?) RETURNING Id", (name,)).get
                self._tally.changes |= Changes.SCHEMA
            self._ids[name] = int(found)
        return self._ids[name]
