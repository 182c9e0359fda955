"""Who may do what in an iTwin: its roles, and the members that have them.

Whoever can sign in owns every iTwin of a local platform, until the iTwin gives them roles of their
own, or they were registered without it. The client that the first start made always owns them all,
as nobody else could give a role back.
Source: Access Control API v2, "Create iTwin role", "Add iTwin user members".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from localtwin.errors import NotFound
from localtwin.ids import new_guid
from localtwin.world.database import Database
from localtwin.world.tables import members, outsiders, roles

PERMISSIONS: Final = (
    "administration_invite_member", "administration_manage_roles", "administration_remove_member",
    "imodels_delete", "imodels_manage", "imodels_read", "imodels_webview", "imodels_write",
    "itwins_delete", "itwins_modify", "storage_delete", "storage_read", "storage_write",
    "webhooks_maintainer",
)  # fmt: skip
_ALL: Final = frozenset(PERMISSIONS)
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    id: str
    display_name: str
    description: str
    permissions: tuple[str, ...]


OWNER: Final = Role(
    str(uuid.uuid5(uuid.NAMESPACE_URL, "localtwin/roles/owner")),
    "Owner",
    "May do everything; whoever can sign in has this role where no other was given.",
    PERMISSIONS,
)


class Roles:
    """The roles and members of every iTwin; kept in memory too, as every request asks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._administrator = ""
        self._outsiders = {row.user_id for row in database.all(select(outsiders))}
        self._roles: dict[tuple[str, str], Role] = {
            (row.itwin_id, row.id): _role(row._mapping)
            for row in database.all(select(roles).order_by(roles.c.display_name, roles.c.id))
        }
        self._members: dict[tuple[str, str], tuple[str, ...]] = {
            (row.itwin_id, row.user_id): tuple(row.role_ids)
            for row in database.all(select(members))
        }
        self._named = {user_id for _, user_id in self._members}

    def set_administrator(self, user_id: str) -> None:
        """Let the user own every iTwin, whatever roles it is given."""
        self._administrator = user_id

    def is_administrator(self, user_id: str) -> bool:
        """Return whether the user owns every iTwin, whatever roles it is given."""
        return user_id == self._administrator

    def exclude(self, user_id: str) -> None:
        """Let the user do nothing anywhere but what roles permit."""
        with self._database.write() as connection:
            connection.execute(insert(outsiders).prefix_with("OR IGNORE").values(user_id=user_id))
        self._outsiders.add(user_id)

    def owns_all(self, user_id: str) -> bool:
        """Return whether the user owns every iTwin that gives it no roles."""
        return user_id == self._administrator or user_id not in self._outsiders

    def permissions(self, user_id: str, itwin_id: str) -> frozenset[str]:
        """Return what the user may do in the iTwin; nothing unless it is a member."""
        if user_id == self._administrator:
            return _ALL
        given = self._members.get((itwin_id, user_id))
        if given is None:
            return _NONE if user_id in self._outsiders else _ALL
        found = (role.permissions for role in self.of_member(user_id, itwin_id))
        return frozenset(permission for each in found for permission in each)

    def is_unrestricted(self, user_id: str) -> bool:
        """Return whether the user owns every iTwin, so that nothing needs to be looked up."""
        if user_id == self._administrator:
            return True
        return user_id not in self._outsiders and user_id not in self._named

    def of_member(self, user_id: str, itwin_id: str) -> list[Role]:
        """Return the member's roles; [] unless it is one."""
        given = self._members.get((itwin_id, user_id))
        if given is None or user_id == self._administrator:
            return [OWNER] if self.owns_all(user_id) else []
        found = (self.find(itwin_id, role_id) for role_id in given)
        return [role for role in found if role is not None]

    def of_itwin(self, itwin_id: str) -> list[Role]:
        """Return the roles of the iTwin, the owner's first."""
        return [OWNER, *(role for key, role in self._roles.items() if key[0] == itwin_id)]

    def find(self, itwin_id: str, role_id: str) -> Role | None:
        """Return the role; None if the iTwin has no such one."""
        wanted = role_id.lower()
        return OWNER if wanted == OWNER.id else self._roles.get((itwin_id, wanted))

    def get(self, itwin_id: str, role_id: str) -> Role:
        """Return the role; raises NotFound."""
        role = self.find(itwin_id, role_id)
        if role is None:
            raise NotFound("RoleNotFound", "Requested Role is not available.")
        return role

    def create(
        self, itwin_id: str, display_name: str, description: str, permissions: Iterable[str] = ()
    ) -> Role:
        """Return a new role of the iTwin."""
        role = Role(new_guid(), display_name, description, _sorted(permissions))
        with self._database.write() as connection:
            connection.execute(insert(roles).values(itwin_id=itwin_id, **_row(role)))
        self._roles[itwin_id, role.id] = role
        return role

    def change(self, itwin_id: str, role: Role) -> Role:
        """Return the role of that id, with another name or other permissions."""
        kept = Role(role.id, role.display_name, role.description, _sorted(role.permissions))
        with self._database.write() as connection:
            connection.execute(update(roles).where(roles.c.id == kept.id).values(_row(kept)))
        self._roles[itwin_id, kept.id] = kept
        return kept

    def delete(self, itwin_id: str, role_id: str) -> None:
        """Delete the role; its members lose it."""
        with self._database.write() as connection:
            connection.execute(delete(roles).where(roles.c.id == role_id))
        del self._roles[itwin_id, role_id]

    def give(self, itwin_id: str, user_id: str, role_ids: Sequence[str]) -> None:
        """Let the user have exactly these roles in the iTwin; with none, it is no member."""
        row = {"itwin_id": itwin_id, "user_id": user_id, "role_ids": list(role_ids)}
        with self._database.write() as connection:
            connection.execute(insert(members).prefix_with("OR REPLACE").values(row))
        self._members[itwin_id, user_id] = tuple(role_ids)
        self._named.add(user_id)


def split_permissions(text: str) -> tuple[str, ...]:
    """Return the names between the commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _role(row: Any) -> Role:
    return Role(row["id"], row["display_name"], row["description"], tuple(row["permissions"]))


def _row(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "display_name": role.display_name,
        "description": role.description,
        "permissions": list(role.permissions),
    }


def _sorted(permissions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(permissions)))
