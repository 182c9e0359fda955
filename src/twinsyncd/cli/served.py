"""Serves a folder on this machine, as an office's web server would, for `demo --manifest`."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def manifest_keys(folder: Path) -> Iterator[str]:
    """Yield the keys of a manifest connection whose files lie in `folder`, which is served."""
    folder.mkdir(parents=True)
    answer = functools.partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        threading.Thread(target=server.serve_forever, name="served", daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        objects = f'objects = {{ url = "{url}", served_folder = "{folder}" }}'
        yield f'target = "manifest"\n{objects}\n'
        server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    """Lists no folder, and logs nothing: the paths are what protects the files."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def list_directory(self, path: object) -> None:
        """Refuse: whoever can list the folder can fetch everything."""
        del path
        self.send_error(404)
