"""Which users have authorised runs to act for them; without that, a user's run ends at once.

The platform keeps the user's refresh token, so the authorization expires with it. A service needs
no authorization, whatever its connections say.
Source: Synchronization API, "Get authorization information"; authenticationType User and Service.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, insert, select

from localtwin.world.clock import stamp
from localtwin.world.tables import authorizations, connections, owners

_LIFETIME = timedelta(days=30)
USER = "User"
USER_NOT_AUTHENTICATED = "UserNotAuthenticated"


def authorise(transaction: Transaction, user_id: str, now: datetime) -> None:
    """Record that runs may act for the person from now on."""
    transaction.execute(delete(authorizations).where(authorizations.c.user_id == user_id))
    transaction.execute(insert(authorizations).values(user_id=user_id, given=stamp(now)))


def expire(transaction: Transaction, user_id: str) -> None:
    """Delete the user's authorization, as if its time had passed."""
    transaction.execute(delete(authorizations).where(authorizations.c.user_id == user_id))


def expire_owner(transaction: Transaction, connection_id: str) -> None:
    """Delete the authorization of the user that runs of the connection act for."""
    owner = select(owners.c.user_id).where(owners.c.connection_id == connection_id)
    user_id = transaction.execute(owner).scalar()
    if user_id is not None:
        expire(transaction, user_id)


def is_authorised(transaction: Transaction, user_id: str, now: datetime) -> bool:
    """Return whether runs may act for the person."""
    given = select(authorizations.c.user_id).where(
        authorizations.c.user_id == user_id, authorizations.c.given > stamp(now - _LIFETIME)
    )
    return transaction.execute(given).first() is not None


def set_owner(transaction: Transaction, connection_id: str, person_id: str | None) -> None:
    """Record which person runs of the connection act for; None: it is a service's."""
    transaction.execute(delete(owners).where(owners.c.connection_id == connection_id))
    if person_id is not None:
        row = {"connection_id": connection_id, "user_id": person_id}
        transaction.execute(insert(owners).values(row))


def may_run(transaction: Transaction, connection_id: str, now: datetime) -> bool:
    """Return whether the connection's user has authorised runs, or it has no user."""
    query = (
        select(owners.c.user_id)
        .join(connections, connections.c.id == owners.c.connection_id)
        .where(connections.c.id == connection_id, connections.c.authentication_type == USER)
    )
    owner = transaction.execute(query).scalar()
    return owner is None or is_authorised(transaction, owner, now)
