"""Which machine serves which iModel, in a journal that several machines share.

Whoever creates or compares all tables imports `metadata` from here: then none is missing.
All times are of the database's clock, Unix seconds: those of machines differ.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Sequence, Table, Text

from .bulk_tables import metadata

__all__ = ["leases", "machines", "metadata", "tokens"]

tokens = Sequence("lease_tokens", metadata=metadata)  # each is greater than all before

machines = Table(
    "machines",
    metadata,
    Column("name", Text, primary_key=True),
    Column("home", Text, nullable=False),  # which state folder: only one process can hold it
    Column("token", BigInteger, nullable=False),  # of this process; a later one has a greater one
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("is_standby", Boolean, nullable=False),
    Column("joined_s", Float, nullable=False),
    Column("until_s", Float, nullable=False),  # unless it is renewed, its iModels are free then
)

leases = Table(
    "leases",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("machine", Text, nullable=False),  # "": nobody
    Column("token", BigInteger, nullable=False),  # of the machine's process that took it
    Column("since_s", Float, nullable=False),
    Column("wished_by", Text, nullable=False),  # a machine with less work; "": none
    Index("leases_by_machine", "machine"),
)
