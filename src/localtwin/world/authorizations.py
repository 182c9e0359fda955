"""Who let runs act in their name: without that, a run for a user ends at once.

Source: Synchronization API, "Get authorization information"; authenticationType User and Service.
"""

from __future__ import annotations

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, insert, select

from localtwin.world.tables import authorizations, connections, owners

USER = "User"
USER_NOT_AUTHENTICATED = "UserNotAuthenticated"


def authorise(transaction: Transaction, user_id: str, now: str) -> None:
    """Record that runs may act for the user."""
    transaction.execute(delete(authorizations).where(authorizations.c.user_id == user_id))
    transaction.execute(insert(authorizations).values(user_id=user_id, given=now))


def is_authorised(transaction: Transaction, user_id: str) -> bool:
    """Return whether runs may act for the user."""
    given = select(authorizations.c.user_id).where(authorizations.c.user_id == user_id)
    return transaction.execute(given).first() is not None


def own(transaction: Transaction, connection_id: str, user_id: str) -> None:
    """Record that runs of the connection act for the user from now on."""
    transaction.execute(delete(owners).where(owners.c.connection_id == connection_id))
    transaction.execute(insert(owners).values(connection_id=connection_id, user_id=user_id))


def may_run(transaction: Transaction, connection_id: str) -> bool:
    """Return whether a run of the connection has somebody to act for."""
    query = (
        select(connections.c.authentication_type, authorizations.c.user_id)
        .outerjoin(owners, owners.c.connection_id == connections.c.id)
        .outerjoin(authorizations, authorizations.c.user_id == owners.c.user_id)
        .where(connections.c.id == connection_id)
    )
    row = transaction.execute(query).first()
    return row is None or row.authentication_type != USER or row.user_id is not None
