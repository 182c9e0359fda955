"""Users: the people and the service clients that can sign in, by id.

Source: Users API, "Get me"; a service client appears as {clientId}@apps.imsoidc.bentley.com.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from localtwin.errors import NotFound
from localtwin.world.access.clients import LOCAL_USER, Access
from localtwin.world.database import Database
from localtwin.world.tables import clients

ORGANIZATION = "localtwin"


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service client."""

    id: str
    display_name: str
    given_name: str
    surname: str
    email: str
    created: str | None = None


class Users:
    """Everybody who can sign in: the local user and the registered clients."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access
        self._known: dict[str, User] = {}
        self._known_at = -1  # the number of registrations when `_known` was read

    def everybody(self) -> list[User]:
        """Return all users, the local user first, then clients in order of registration."""
        person = User(self._access.user_id(LOCAL_USER), "Local User", "Local", "User", LOCAL_USER)
        rows = self._database.all(select(clients).order_by(clients.c.created, clients.c.id))
        return [person, *(self._of_client(row.id, row.name, row.created) for row in rows)]

    def find(self, user_id: str) -> User | None:
        """Return the user, None if there is none with that id."""
        registrations = self._access.registrations
        if registrations != self._known_at:  # users are only ever added
            self._known = {user.id: user for user in self.everybody()}
            self._known_at = registrations
        return self._known.get(user_id.lower())

    def get(self, user_id: str) -> User:
        """Return the user; raises NotFound."""
        user = self.find(user_id)
        if user is None:
            raise NotFound("UserNotFound", "Requested User is not available.")
        return user

    def display_name(self, user_id: str) -> str:
        """Return the user's name for people to read; the id where there is no such user."""
        user = self.find(user_id)
        return user_id if user is None else user.display_name

    def _of_client(self, client_id: str, name: str, created: str) -> User:
        email = f"{client_id}@apps.imsoidc.bentley.com"
        return User(self._access.user_id(client_id), name, name, "Service", email, created)
