"""The example file: it works as it stands, and it knows every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from twinsyncd.config import load
from twinsyncd.config.schema import SECTIONS

EXAMPLE = (Path(__file__).parents[2] / "config.example.toml").read_text("utf-8")
UNCOMMENTED = re.sub(r"(?m)^(\s*)#(?=\w+ = )", r"\1", EXAMPLE)

NO_DEFAULTS = (
    *("connection_id", "references", "trusted_hosts", "upload_hosts"),
    *("proxy", "no_proxy", "ca_bundle", "run_settings", "spatial_root"),
    *("url", "served_folder", "region", "endpoint", "credentials_file"),
    *("company_guid", "api_key_file", "api_key_env", "email", "password_file", "password_env"),
    *("entity", "columns", "keys", "constants", "sheet", "share"),
    *("names", "token", "token_file", "tls_certificate", "tls_key"),
    *("journal", "journal_password_file", "machine"),
    *("urls", "urls_file", "escalate_urls", "ping_url"),
    *("document_schema_url", "document_class", "document_properties"),
)
"""Keys whose line in the example is an example, since nothing is their default."""

KEYS = [
    (section, key)
    for section, model in SECTIONS.items()
    for key in model.model_fields
    if (*section, key) not in SECTIONS
]


def keys_below(section: tuple[str, ...]) -> set[str]:
    """Return the keys that the example shows in a table, commented out or not."""
    node = tomllib.loads(UNCOMMENTED)
    for name in section:
        node = node[name][0] if isinstance(node[name], list) else node[name]
    return {key for key in node if (*section, key) not in SECTIONS}


def test_the_example_works_once_its_folder_and_secret_exist(tmp_path: Path) -> None:
    """What people copy first must not be wrong."""
    (tmp_path / "cad").mkdir()
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "secret").chmod(0o600)
    text = EXAMPLE.replace("//fileserver/projects/bridge12/cad", "cad")
    file = tmp_path / "twinsyncd.toml"
    file.write_text(text.replace("/etc/twinsyncd/client_secret", "secret"), "utf-8")

    config = load(file, {})

    assert config.auth.secret() == "hunter2"
    assert config.connection[0].source[0].matcher().file("a/plan.dgn")


def test_the_defaults_that_the_example_shows_are_the_defaults(tmp_path: Path) -> None:
    """A line that is commented out must change nothing when it is not."""
    (tmp_path / "cad").mkdir()
    file = tmp_path / "twinsyncd.toml"
    file.touch(0o600)
    env = {"TWINSYNCD_AUTH__CLIENT_SECRET": "hunter2", "STATE_DIRECTORY": "/var/lib/twinsyncd"}
    shown = re.sub(rf"(?m)^\s*({'|'.join(NO_DEFAULTS)}) = .*$", "", UNCOMMENTED)

    def loaded(text: str) -> object:
        file.write_text(text.replace("//fileserver/projects/bridge12/cad", "cad"), "utf-8")
        return load(file, env).model_dump()

    assert loaded(EXAMPLE) == loaded(shown)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=str)
def test_every_key_has_an_example_line_with_a_comment_above(
    section: tuple[str, ...], key: str
) -> None:
    """A key without an example line does not exist."""
    assert key in keys_below(section)
    assert re.search(rf"(?m)^ *# .+\n *#?{key} = ", EXAMPLE)


@pytest.mark.parametrize("section", SECTIONS, ids=".".join)
def test_the_example_shows_no_key_that_does_not_exist(section: tuple[str, ...]) -> None:
    """A key that was renamed must not live on in what people copy."""
    assert keys_below(section) <= set(SECTIONS[section].model_fields)
