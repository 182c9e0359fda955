"""Azurite, Microsoft's own emulator of Azure Blob Storage, where npm has installed it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from system.waiting import wait_until

NPM_PROGRAMS = Path(__file__).parents[2] / ".cache" / "npm" / "node_modules" / ".bin"
"""Where `.ci/run` installs programs from npm."""

AZURE = {
    "account_name": "devstoreaccount1",
    "account_key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
    "/K1SZFPTOtr/KBHBeksoGMGw==",
}
"""The account that every Azurite has, as documented; no secret."""


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Azure Blob store on this machine, where Azurite is installed."""
    program = shutil.which("azurite-blob") or shutil.which("azurite-blob", path=NPM_PROGRAMS)
    if program is None:
        pytest.skip("needs Azurite, which .ci/run installs: npm install -g azurite")
    output = tmp_path_factory.mktemp("azurite") / "out"
    options = ("--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
    arguments = [program, "--blobHost", "127.0.0.1", "--blobPort", "0", *options]
    with output.open("wb") as out, subprocess.Popen(arguments, stdout=out, stderr=out) as process:

        def listening() -> re.Match[str] | None:
            assert process.poll() is None, output.read_text("utf-8")
            return re.search(r"listens on (http://\S+)", output.read_text("utf-8"))

        found = wait_until(listening, "Azurite")
        assert found is not None
        yield f"{found[1]}/{AZURE['account_name']}"
        process.terminate()
