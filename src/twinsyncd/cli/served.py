"""Serves a folder on this machine, as an office's web server would, for `demo --manifest`."""

from __future__ import annotations

import functools
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Served:
    """A served folder: the keys of a manifest connection whose files lie there.

    `command`: serves it again, once this program has ended.
    """

    keys: str = ""
    command: str = ""


@contextmanager
def served_folder(folder: Path) -> Iterator[Served]:
    """Yield how the files of a manifest connection lie in `folder`, and serve it meanwhile."""
    folder.mkdir(parents=True)
    answer = functools.partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        threading.Thread(target=server.serve_forever, name="served", daemon=True).start()
        port = server.server_address[1]
        objects = f'objects = {{ url = "http://127.0.0.1:{port}", served_folder = "{folder}" }}'
        program = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
        again = shlex.join([*program, "--directory", str(folder)])
        yield Served(f'target = "manifest"\n{objects}\n', again)
        server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    """Lists no folder, and logs nothing: the paths are what protects the files."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def list_directory(self, path: object) -> None:
        """Refuse: whoever can list the folder can fetch everything."""
        del path
        self.send_error(404)
