"""The bodies of the bulk API's requests.

Source: Ra Factory, docs of the sync endpoints, read 2026-11. Pieces and articles have many more
optional fields than are named there, so what is not named here is stored as it was sent.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Record(BaseModel):
    """What every record has; GUIDs are stored in lower case."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    guid: UUID | None = None
    company_guid: UUID
    deleted_at: datetime | None = None

    def given(self) -> dict[str, Any]:
        """Return the fields as JSON has them, without those that were left out."""
        return self.model_dump(mode="json", exclude_unset=True)


class Project(Record):
    """A project."""

    code: Text
    due_date: datetime | date | None = None
    in_production: bool = False
    company_name: str | None = None
    is_active: bool = True
    updated_at: datetime | None = None


class Component(Record):
    """A component of a project."""

    code: Text
    designation: str | None = None
    project_guid: UUID
    quantity: int = 1
    picture: str | None = None
    is_active: bool = True


class Assembly(Record):
    """An assembly of a component."""

    project_guid: UUID
    component_guid: UUID
    trolley_cell: str | None = None
    trolley: str | None = None
    cell_number: int | None = None
    picture: str | None = None


class Piece(Record):
    """A piece of a component, perhaps of an assembly."""

    piece_id: Text
    project_guid: UUID
    component_guid: UUID
    assembly_guid: UUID | None = None
    barcode: str | None = None
    outer_length: float | None = None
    angle_left: float | None = None
    angle_right: float | None = None


class Article(Record):
    """An article of a component."""

    code: Text
    project_guid: UUID
    component_guid: UUID
    designation: str | None = None
    quantity: float | None = None
    unit: str | None = None
    length: float | None = None
    width: float | None = None
    height: float | None = None
    surface: float | None = None
    angle1: float | None = None
    angle2: float | None = None
    unit_weight: float | None = None
    bar_length: float | None = None
    position: str | None = None


class Projects(BaseModel):
    """Body of /sync/projects."""

    projects: list[Project]


class Components(BaseModel):
    """Body of /sync/components."""

    components: list[Component]


class Assemblies(BaseModel):
    """Body of /sync/assemblies."""

    assemblies: list[Assembly]


class Pieces(BaseModel):
    """Body of /sync/pieces; more than 1,000 are a 400, not a 422."""

    pieces: list[Piece]


class Articles(BaseModel):
    """Body of /sync/articles."""

    articles: list[Article]


class Login(BaseModel):
    """Body of /auth/login."""

    email: Text
    password: Text


class Refresh(BaseModel):
    """Body of /auth/refresh."""

    refresh_token: Text


class NewKey(BaseModel):
    """Body of /api-keys."""

    description: str
    scopes: Text
    key: Annotated[str, Field(min_length=16)] | None = None
    company_guid: UUID | None = None


class Counted(BaseModel):
    """The answer to every upsert."""

    inserted: int
    updated: int


class SignedIn(BaseModel):
    """The answer to a sign-in."""

    access_token: str
    refresh_token: str
    role: str
    expires_in: int
    token_type: str = "bearer"  # noqa: S105 (the kind of token, as OAuth names it)


class MadeKey(BaseModel):
    """The answer to a new API key; the only one that shows it."""

    guid: str
    key: str
    description: str
    scopes: str
    company_guid: str


class Me(BaseModel):
    """The answer of /auth/me."""

    guid: str
    email: str
    role: str
    company_guid: str


class Problem(BaseModel):
    """An error other than 422."""

    detail: str
