"""`twinsyncd notify test`, as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.config import load
from twinsyncd.errors import ConfigError
from twinsyncd.runtime.notify_wiring import habits_of, outlet_names, try_targets

from .test_targets import hook

CONFIG = """[auth]
client_id = "service-abc"
client_secret = "hunter2"

[notify]
{notify}

[[connection]]
name = "Bridge"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "1b2c3d4e-1111-4222-8333-444455556666"

  [[connection.source]]
  folder = "cad"
"""


def written(folder: Path, notify: str) -> Path:
    """Return the configuration with this section."""
    (folder / "cad").mkdir()
    file = folder / "twinsyncd.toml"
    file.touch(mode=0o600)
    file.write_text(CONFIG.format(notify=notify), "utf-8")
    return file


def test_every_target_is_tried_and_named(tmp_path: Path) -> None:
    """Whoever sets it up sees which address is wrong, before it matters."""
    with hook() as good, hook(500) as bad:
        urls = tmp_path / "urls"
        urls.touch(mode=0o600)
        urls.write_text(
            f"# people\njson://127.0.0.1:{good.port}/a\njson://127.0.0.1:{bad.port}/b\n"
        )
        config = load(
            written(
                tmp_path,
                f'urls_file = "urls"\nping_url = "http://127.0.0.1:{good.port}/id"\n'
                f'escalate_urls = ["json://127.0.0.1:{good.port}/c"]\ndigest_at = "7:30"',
            ),
            {},
        )
        results = dict(try_targets(config))

    assert list(results) == outlet_names(config)
    assert list(map(bool, results.values())) == [False, True, False, False]
    assert [each.get("title", "ping") for each in good.got] == ["Test of twinsyncd"] * 2 + ["ping"]
    assert config.notify is not None
    assert habits_of(config.notify).digest == (7, 30)


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        ('digest_at = "25:00"', "not a time of day"),
        ('ping_url = "ftp://x"', "not a web address"),
        ('urls_file = "nowhere"', "there is no file"),
        ('url = "x"', 'did you mean "urls"?'),
        ('escalate_after = "soon"', "not a duration"),
    ],
)
def test_a_mistake_is_named_and_shows_no_address(notify: str, words: str, tmp_path: Path) -> None:
    """The section is full of secrets."""
    file = written(tmp_path, notify)

    with pytest.raises(ConfigError) as error:
        load(file, {})

    assert words in str(error.value)
    assert "ftp://x" not in str(error.value)


def test_addresses_in_a_file_that_all_can_read_are_refused(tmp_path: Path) -> None:
    """They hold passwords."""
    file = written(tmp_path, 'urls = ["json://person:password@example.com"]')
    file.chmod(0o644)

    with pytest.raises(ConfigError, match="can read this secret") as error:
        load(file, {})

    assert "urls_file" in str(error.value)
