"""Tiny design files that the connectors really read."""

from __future__ import annotations


def drawing(number: int) -> bytes:
    """Return a DXF file with one line; another `number` moves its end."""
    line = ["0", "LINE", "5", "1F", "8", "0", "10", "0.0", "20", "0.0", "11", f"{number}.0"]
    entities = ["0", "SECTION", "2", "ENTITIES", *line, "21", "5.0", "0", "ENDSEC", "0", "EOF"]
    return ("\n".join(entities) + "\n").encode("ascii")
