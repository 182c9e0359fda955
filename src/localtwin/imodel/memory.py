"""What a connector leaves for its next reading of a source; counts if the iModel is as it was."""

from hashlib import blake2b

import apsw

_DIGEST_BYTES = 16


def load_memory(database: apsw.Connection, source: str, edition: str) -> bytes:
    """Return what the last reading of a source left; empty if the iModel holds something else.

    `edition` names the connector and its version, which must be those of that reading.
    """
    row = database.execute(
        "SELECT Held, Memory FROM local_Memory WHERE Source = ? AND Edition = ?", (source, edition)
    ).fetchone()
    if row is None or row[0] != _held(database, source):
        return b""
    return bytes(row[1])


def save_memory(database: apsw.Connection, source: str, edition: str, memory: bytes) -> None:
    """Keep what a reading left, after it was written; the caller holds the transaction."""
    if not memory:
        database.execute("DELETE FROM local_Memory WHERE Source = ?", (source,))
        return
    database.execute(
        "INSERT OR REPLACE INTO local_Memory VALUES (?, ?, ?, ?)",
        (source, edition, _held(database, source), memory),
    )


def _held(database: apsw.Connection, source: str) -> str:
    """Return a digest of what the iModel holds of a source."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    rows = database.execute(
        "SELECT Identifier, ElementId, Checksum FROM bis_ExternalSourceAspect WHERE SourceId ="
        " (SELECT Id FROM bis_ExternalSource WHERE Identifier = ?) ORDER BY Identifier",
        (source,),
    )
    for row in rows:
        digest.update(repr(row).encode())
    relationships = database.execute(
        "SELECT count(*) FROM bis_ElementRefersToElements WHERE ExternalSourceId ="
        " (SELECT Id FROM bis_ExternalSource WHERE Identifier = ?)",
        (source,),
    ).get
    digest.update(repr(relationships).encode())
    return digest.hexdigest()
