"""The server as a process: ports, folders, signals, and answers that get lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from platform_scene import opened, signing_key

from localtwin.errors import SetupError
from localtwin.faults import parse
from localtwin.serve import Ready, Settings, serving
from localtwin.world.world import write_private


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a key made earlier."""
    write_private(tmp_path / "token.pem", signing_key())
    return tmp_path


def sign_in(client: httpx.Client, ready: Ready) -> None:
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
    answer = client.post("/connect/token", data=form, auth=(ready.client_id, ready.client_secret))
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def test_port_and_credentials_outlive_a_restart(data: Path) -> None:
    """A client's configuration stays right."""
    settings = Settings(data, job_module="platform_jobs", workers=1)

    with serving(settings) as first:
        pass
    with serving(settings) as second:
        pass

    assert first == second


def test_one_folder_has_one_server(data: Path) -> None:
    """Two would tear each other's runs."""
    with opened(data), pytest.raises(SetupError, match="in use"), serving(Settings(data)):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 (refused)
def test_other_machines_are_kept_out_unless_asked_in(data: Path, host: str) -> None:
    """Whoever reaches it may do everything."""
    with pytest.raises(SetupError, match="--expose"), serving(Settings(data, host=host)):
        pass


def test_a_lost_answer_was_acted_upon(data: Path) -> None:
    """The client can't know, so it has to look before it repeats."""
    fault = parse("lost-answer@/imodels x1")
    settings = Settings(data, job_module="platform_jobs", workers=1, faults=(fault,))
    with serving(settings) as ready, httpx.Client(base_url=ready.api_url) as client:
        sign_in(client, ready)
        body = {"iTwinId": ready.itwin_id, "name": "Bridge"}

        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/imodels", json=body)

        assert client.post("/imodels", json=body).status_code == 409


def test_the_command_says_when_it_is_ready_and_ends_on_sigterm(data: Path) -> None:
    """What a service manager and a test harness rely on."""
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        discovery = httpx.get(f"{ready['api_url']}/.well-known/openid-configuration")

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) in {0, -signal.SIGTERM}
    assert (ready["event"], discovery.json()["issuer"]) == ("ready", ready["api_url"])
