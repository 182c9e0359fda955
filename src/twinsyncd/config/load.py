"""Reads the configuration: one TOML file, overridden by the environment, checked as a whole."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from platformdirs import site_config_path, site_data_path, user_state_path
from pydantic import ValidationError

from ..errors import ConfigError, ConfigMistake
from .mistakes import PREFIX, MistakeLocator
from .schema import Config
from .secret_file import CREDENTIALS, UNREAD_SECRETS
from .stray_signs import stray_sign
from .toml_lines import TomlLines
from .validation import contradictions
from .values import UNREACHED
from .windows_paths import advice_for_line

_AT_LINE = re.compile(r" \(at line \d+, (column \d+)\)")
UNCLOSED = "a quote or bracket that is opened here is not closed, or a comma is missing"
SECRETS = ({"client_secret", "client_secret_file"}, {"token", "token_file"})

Known = Callable[[Config], Container[str]]
"""Returns the keys of the sources that were scanned before."""


def load(
    file: Path,
    env: Mapping[str, str] | None = None,
    known: Known = lambda _config: (),
    *,
    folders: bool = True,
) -> Config:
    """Return the checked configuration; `env` is the process's own unless given.

    A folder that cannot be reached is a mistake only in a source that is not `known`; that of a
    known one lies on a share that is offline. `known` is called only if there is such a folder.
    Without `folders` no share is touched and no secret is read; use it where only the journal is
    read: the accounts that may do that need not be able to read the service's secrets.
    Raises ConfigError with every mistake that can be made at once.
    """
    file = file.expanduser().absolute()
    env = os.environ if env is None else env
    text = _text_of(file)
    lines = TomlLines(text)
    data = _parsed(file, text, lines)
    overrides = _overrides(env)
    locate = MistakeLocator(file, lines, _paths(overrides))
    context = {
        "base": file.parent,
        CREDENTIALS: env.get("CREDENTIALS_DIRECTORY", ""),
        UNREAD_SECRETS: not folders,
    }
    checked = _validated(_merged(data, overrides), locate, context, folders=folders)
    config = _with_state_folder(checked, file, env)
    if mistakes := contradictions(config, locate, known, folders=folders):
        raise ConfigError(mistakes)
    return config


def _validated(
    data: dict[str, Any], locate: MistakeLocator, context: dict[str, Any], *, folders: bool
) -> Config:
    """Return the configuration; if some of it is wrong, report unreachable folders as well."""
    try:
        try:
            return Config.model_validate(data, context=context | {UNREACHED: True})
        except ValidationError:
            if not folders:
                raise
            return Config.model_validate(data, context=context)
    except ValidationError as error:
        raise ConfigError(locate.all_in(error)) from None  # its text would show the values


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise _whole_file(file, "this is not UTF-8 text", 'save it with encoding "UTF-8"') from None
    except FileNotFoundError:
        fix = "name another file with --config, or begin with a copy of config.example.toml"
        raise _whole_file(file, "there is no such file", fix) from None
    except OSError as exc:
        fix = "let the account that twinsyncd runs as read it"
        raise _whole_file(file, f"it cannot be read ({exc.strerror})", fix) from exc


def _whole_file(file: Path, message: str, fix: str) -> ConfigError:
    return ConfigError([ConfigMistake(str(file), 0, "", message, fix)])


def _parsed(file: Path, text: str, lines: TomlLines) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        if stray := stray_sign(text, message):
            raise ConfigError([ConfigMistake(str(file), *stray)]) from error
        line = lines.broken_at(error)
        culprit = text.split("\n")[line - 1 : line] or [""]
        unclosed = f"(at line {line}," not in message
        fix = UNCLOSED if unclosed else _fix_for(message, culprit[0])
        message = _AT_LINE.sub(r" (\1)", message)  # the line stands before it
        mistake = ConfigMistake(str(file), line, "", message, fix)
        raise ConfigError([mistake]) from error


def _fix_for(message: str, culprit: str) -> str:
    if "overwrite" in message or "twice" in message or "mutate" in message:
        return "the same key or heading is there twice; delete one of them"
    if path := advice_for_line(culprit):
        return path
    if "\\" in culprit:
        return "write paths and patterns with forward slashes, like cad/**/*.dgn"
    if "Invalid value" in message:
        return "put text in quotes; numbers, true and false go without"
    return 'look for a missing quote, bracket or "=" here'


def _overrides(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    ours = {name.upper() for name in env if name.upper().startswith(PREFIX)}
    if not ours - {f"{PREFIX}CONFIG"}:
        return {}
    from .overrides import read_overrides  # noqa: PLC0415 - costs a tenth of a second, seldom used

    return read_overrides(env)


def _paths(overrides: Mapping[str, Mapping[str, Any]]) -> frozenset[tuple[str, ...]]:
    return frozenset((section, key) for section, keys in overrides.items() for key in keys)


def _merged(data: dict[str, Any], overrides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the environment into the file's values; a secret given there replaces the file's."""
    merged = dict(data)
    for section, keys in overrides.items():
        below = merged.get(section, {})
        if isinstance(below, dict):
            outdone = [secrets for secrets in SECRETS if secrets & set(keys)]
            kept = {key: below[key] for key in below if not any(key in each for each in outdone)}
            merged[section] = {**kept, **keys}
    return merged


def _with_state_folder(config: Config, file: Path, env: Mapping[str, str]) -> Config:
    if config.daemon.state_folder:
        return config
    place = {"state_folder": usual_state_folder(file, env)}
    return config.model_copy(update={"daemon": config.daemon.model_copy(update=place)})


def usual_state_folder(file: Path, env: Mapping[str, str]) -> Path:
    """Return where the journal lives unless `file` says: the service's folder, else the user's.

    A configuration in the system's folder is the service's, so a shell finds the same journal.
    """
    if given := env.get("STATE_DIRECTORY", "").split(os.pathsep)[0]:
        return Path(given)
    if file.parent == system_folder():
        return _service_state()
    return user_state_path("twinsyncd", appauthor=False)


def system_folder() -> Path:
    """Return where the service's configuration lies."""
    if os.name == "nt":
        return site_config_path("twinsyncd", appauthor=False)
    return Path("/etc/twinsyncd")


def _service_state() -> Path:
    if os.name == "nt":
        return site_data_path("twinsyncd", appauthor=False) / "state"
    return Path("/var/lib/twinsyncd")
