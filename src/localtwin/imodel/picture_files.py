"""Where the picture of a changeset is; imports nothing, so that the server can use it."""

from pathlib import Path


def picture_of(changeset_file: Path) -> Path:
    """Return where the plan view of a changeset is, if one was drawn."""
    return changeset_file.with_name(f"{changeset_file.name}.svg")
