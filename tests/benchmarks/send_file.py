"""Sends one file to a blob URL as we do, or as a peer does, in a process of its own.

`python -m benchmarks.send_file CLIENT FILE URL DIGEST` prints seconds, processor seconds and the
most memory as JSON. CLIENT is `twinsyncd`, or `azure-N` for azure-storage-blob with N connections.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .figures import memory_mb


@contextmanager
def sending_ours(file: Path, url: str, digest: str) -> Iterator[Callable[[], None]]:
    """Yield what sends the file through the daemon's own parts, from the share's threads on."""
    from twinsyncd.cloud.session import CloudSettings, open_cloud  # noqa: PLC0415
    from twinsyncd.core.model import Digest, SourceKey  # noqa: PLC0415
    from twinsyncd.disk.look import StableContent, look  # noqa: PLC0415
    from twinsyncd.disk.tree import Tree  # noqa: PLC0415
    from twinsyncd.runtime.share_content import ShareContent  # noqa: PLC0415
    from twinsyncd.runtime.share_threads import ShareThreads  # noqa: PLC0415

    threads = ShareThreads(SourceKey("drive"))
    tree = Tree(file.parent, threads.note_progress)

    fingerprint = look(tree, file.name)
    assert fingerprint is not None
    known = fingerprint

    def opened() -> StableContent:
        return StableContent(tree, file.name, known, Digest(digest))

    with open_cloud(CloudSettings("nobody")) as cloud:

        def send() -> None:
            with ShareContent(opened, threads) as content:
                cloud.blobs.upload(content, url, lambda: url, first=True)

        yield send


@contextmanager
def sending_by_azure(file: Path, url: str, connections: int) -> Iterator[Callable[[], None]]:
    """Yield what sends the file as Microsoft's own library does."""
    from azure.storage.blob import BlobClient  # noqa: PLC0415

    with BlobClient.from_blob_url(url) as client:

        def send() -> None:
            with file.open("rb") as content:
                client.upload_blob(content, overwrite=True, max_concurrency=connections)

        yield send


def main(client: str, file: Path, url: str, digest: str) -> None:
    """Send it, and print what that cost."""
    name, _, connections = client.partition("-")
    if name == "azure":
        sending = sending_by_azure(file, url, int(connections))
    else:
        sending = sending_ours(file, url, digest)
    with sending as send:
        started_s, before_s = time.perf_counter(), time.process_time()
        send()
        took = {
            "seconds": time.perf_counter() - started_s,
            "processor_s": time.process_time() - before_s,
            "peak_mb": memory_mb(os.getpid())[1],
        }
    print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
