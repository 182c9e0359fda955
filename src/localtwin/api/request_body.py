"""The base of every JSON body: a property that no operation carries out is refused, not dropped."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A JSON body; an unknown property makes the request invalid."""

    model_config = ConfigDict(extra="forbid")
