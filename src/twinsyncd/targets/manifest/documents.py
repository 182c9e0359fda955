"""Fills in the document attribute of a file; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .settings import Document


class Describes(Protocol):
    """What says which document attribute the files of a folder have."""

    @property
    def document_class(self) -> str:
        """The class, "" if they have none."""

    @property
    def document_properties(self) -> Mapping[str, str]:
        """Its properties, with placeholders."""


def document_of(source: Describes, path: str) -> Document | None:
    """Return the document attribute of a file; None if files of its source have none.

    {name}, {stem}, {path} and {folder} stand for the file's own; other braces stay as they are.
    """
    if not source.document_class:
        return None
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    own = {"{name}": name, "{stem}": stem, "{path}": path, "{folder}": folder}
    return Document(
        source.document_class,
        {each: _filled(text, own) for each, text in source.document_properties.items()},
    )


def _filled(text: str, own: Mapping[str, str]) -> str:
    for placeholder, value in own.items():
        text = text.replace(placeholder, value)
    return text
