"""The base of every JSON body: a property that no operation carries out is refused, not dropped.

In an update, null clears a property that may be null and is refused for any other; a property that
is left out stays as it is.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A JSON body; an unknown property makes the request invalid."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Return the properties that the request has, by their names in Python."""
        return self.model_dump(exclude_unset=True)
