"""Options that several commands share, and the configuration they lead to."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import ConfigError, ConfigMistake, JournalError

if TYPE_CHECKING:
    from ..config import Config

FILE: Final = "twinsyncd.toml"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="TWINSYNCD_CONFIG",
        help="The configuration; else ./twinsyncd.toml, the user's, or the system's.",
        show_default=False,
    ),
]


def load_config(given: Path | None, *, folders: bool = True) -> Config:
    """Return the checked configuration. Raises ConfigError.

    Without `folders` no share is touched: for commands that only read or write the journal.
    """
    from ..config import load

    return load(given or find_config(), known=_scanned_before, folders=folders)


def _scanned_before(config: Config) -> Container[str]:
    """Return the keys of the sources that the journal knows; none without a journal."""
    from ..runtime.state import open_views

    try:
        views = open_views(config)
        try:
            return views.scanned_before()
        finally:
            views.close()
    except JournalError:
        return ()


def find_config() -> Path:
    """Return the first configuration file that exists in the usual places."""
    from platformdirs import user_config_path

    from ..config import system_folder

    places = [Path.cwd() / FILE, user_config_path("twinsyncd") / FILE, system_folder() / FILE]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        looked = ", ".join(str(place) for place in places)
        fix = "write a first one with `twinsyncd init`, or name yours with --config FILE"
        raise ConfigError([ConfigMistake(FILE, 0, "", f"no configuration found at {looked}", fix)])
    return found
