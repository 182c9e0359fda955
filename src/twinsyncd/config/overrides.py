"""Reads what the environment sets, as TWINSYNCD_<section>__<key>."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from ..errors import ConfigError, ConfigMistake
from .daemon import DaemonSection
from .mistakes import ENVIRONMENT, PREFIX
from .notify import Notify
from .page import Page
from .sections import Auth, Platform


class Overrides(BaseSettings):
    """The sections that the environment may set, as TWINSYNCD_<section>__<key>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")

    platform: Platform
    auth: Auth
    daemon: DaemonSection
    page: Page
    notify: Notify


def read_overrides(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the values by section and key. Raises ConfigError."""
    source = EnvSettingsSource(Overrides)
    source.env_vars = {name.lower(): value for name, value in env.items()}
    try:
        return cast("dict[str, dict[str, Any]]", source())
    except SettingsError as exc:
        fix = f"set one key each, like {PREFIX}AUTH__CLIENT_ID"
        raise ConfigError([ConfigMistake(ENVIRONMENT, 0, PREFIX, str(exc), fix)]) from None
