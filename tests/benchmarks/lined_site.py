"""A site whose daemon reaches localtwin over a line alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from system.site import Site, open_site

from .upload_lab import Helper, helping, line_arguments


@contextmanager
def site_behind_a_line(
    folder: Path, connection: str, round_trip_s: float, bytes_per_s: float, *options: str
) -> Iterator[tuple[Site, Helper]]:
    """Yield the site and its line.

    `connection`: further keys of its connection; `options`: of its localtwin.
    """
    with open_site(folder, connection, *options) as site:
        text = site.config.read_text("utf-8")
        found = re.search(r'api_url = "http://127\.0\.0\.1:(\d+)', text)
        assert found is not None, text
        arguments = line_arguments(int(found[1]), round_trip_s, bytes_per_s)
        with helping("delaying_line", *arguments) as line:
            site.config.write_text(text.replace(f":{found[1]}", f":{line.port}"), "utf-8")
            yield site, line
