"""Writes a new configuration file: what was chosen, each key explained, the rest as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import tomlkit

from .descriptions import Section, descriptions
from .proposal import SourceProposal
from .sections import Platform

WIDTH: Final = 100
OFTEN_CHANGED: Final = (
    *("settle", "settle_by_format", "batch_quiet", "longest_wait", "scan_every"),
    *("on_delete", "mass_deletion_share", "mass_deletion_least"),
)
"""Keys of a connection that are shown with their defaults."""

NOT_ALL: Final = (
    "Only the names above are taken of {}. For other kinds of files add a source with"
    ' connector = "auto" once there are some.'
)

_HEAD: Final = """\
# The configuration of twinsyncd. "#" before a key shows its default; remove it to change it.
# Check it after every change:  twinsyncd check --config {file}
# Every key is explained by:    twinsyncd manual configuration
"""


@dataclass(frozen=True, slots=True)
class DraftSource:
    """A folder with what is taken from it; `storage_folder` "" leaves the usual place."""

    folder: str
    proposal: SourceProposal
    storage_folder: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a first configuration says; `secret_file` "" for a person who signs in."""

    api_url: str
    issuer_url: str
    client_id: str
    secret_file: str
    name: str
    itwin_id: str
    imodel_id: str
    sources: Sequence[DraftSource]
    state_folder: str = ""
    usual_state_folder: str = ""  # where it is if it is not named; "": as of the service
    redirect_url: str = ""

    def text(self, file: Path) -> str:
        """Return the file's text, as TOML."""
        blocks = [_HEAD.format(file=file), *self._sections()]
        return "\n".join(blocks)

    def _sections(self) -> list[str]:
        platform = {"api_url": self.api_url, "issuer_url": self.issuer_url}
        usual = Platform()
        same = (self.api_url, self.issuer_url) == (usual.api_url, usual.issuer_url)
        secret = {"client_secret_file": self.secret_file} if self.secret_file else {}
        auth = {"kind": "service" if secret else "user", "client_id": self.client_id} | secret
        auth |= {"redirect_url": self.redirect_url} if self.redirect_url else {}
        state = {"state_folder": self.state_folder} if self.state_folder else {}
        usual_state = {"state_folder": self.usual_state_folder} if self.usual_state_folder else {}
        connection = {"name": self.name, "itwin_id": self.itwin_id, "imodel_id": self.imodel_id}
        return [
            *([] if same else [_table(("platform",), platform)]),
            _table(("auth",), auth),
            _table(("daemon",), state, () if state else ("state_folder",), examples=usual_state),
            _table(("connection",), connection, OFTEN_CHANGED, many=True),
            *(
                _table(
                    ("connection", "source"),
                    _source(each),
                    many=True,
                    explain=place == 0,
                    note="" if each.proposal.is_all else NOT_ALL.format(each.folder),
                )
                for place, each in enumerate(self.sources)
            ),
        ]


def _source(source: DraftSource) -> dict[str, Any]:
    proposal = source.proposal
    values: dict[str, Any] = {"folder": source.folder, "connector": proposal.connector}
    for key in ("include", "references", "exclude"):
        if globs := getattr(proposal, key):
            values[key] = list(globs)
    if source.storage_folder:
        values["storage_folder"] = source.storage_folder
    return values


def _table(
    section: Section,
    values: Mapping[str, Any],
    commented: Sequence[str] = (),
    *,
    many: bool = False,
    explain: bool = True,
    examples: Mapping[str, str] = MappingProxyType({}),
    note: str = "",
) -> str:
    indent = "  " * (len(section) - 1)
    name = ".".join(section)
    lines = [f"[[{name}]]" if many else f"[{name}]"]
    for key, value in values.items():
        if explain:
            lines += _explained(section, key)
        lines.append(f"{key} = {tomlkit.item(value).as_string()}")
    for key in commented:
        example = descriptions()[section, key].example
        if key in examples:
            example = tomlkit.item(examples[key]).as_string()
        lines += [*_explained(section, key), f"#{key} = {example}"]
    if note:
        lines += _wrapped(note)
    return "".join(f"{indent}{line}\n" for line in lines)


def _explained(section: Section, key: str) -> list[str]:
    return _wrapped(descriptions()[section, key].text)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
