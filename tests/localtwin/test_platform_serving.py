"""The server as a process: ports, folders, signals, and answers that get lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from platform_scene import opened, signing_key

from localtwin.__main__ import main
from localtwin.errors import SetupError
from localtwin.faults import parse
from localtwin.ids import pair_id
from localtwin.serve import Settings, serving
from localtwin.world.world import Credentials, write_private


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a key made earlier."""
    write_private(tmp_path / "token.pem", signing_key())
    return tmp_path


def sign_in(client: httpx.Client, client_id: str, secret: str) -> None:
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
    answer = client.post("/connect/token", data=form, auth=(client_id, secret))
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


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 (refused)
def test_the_command_refuses_to_be_reached_by_others(
    data: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a sentence that names the switch, not a traceback."""
    code = main(["--data", str(data), "--host", host])

    assert (code, "--expose" in capsys.readouterr().err) == (2, True)


def test_a_lost_answer_was_acted_upon(data: Path) -> None:
    """The client can't know, so it has to look before it repeats."""
    fault = parse("lost-answer@/imodels x1")
    settings = Settings(data, job_module="platform_jobs", workers=1, faults=(fault,))
    with serving(settings) as ready, httpx.Client(base_url=ready.api_url) as client:
        sign_in(client, ready.client_id, ready.client_secret)
        body = {"iTwinId": ready.itwin_id, "name": "Bridge"}

        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/imodels", json=body)

        assert client.post("/imodels", json=body).status_code == 409


KILLED = """
import sys
from pathlib import Path
from localtwin.serve import Settings, serve
settings = Settings(Path(sys.argv[1]), job_module="platform_jobs", workers=1, run_delay_s=600)
serve(settings, lambda ready: print(ready.api_url, flush=True))
"""


def test_a_kill_at_any_moment_of_a_run_leaves_no_lock_behind(data: Path) -> None:
    """The run that was accepted ends after the restart, and the next one may start."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", KILLED, str(data)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process,
        httpx.Client() as client,
    ):
        assert process.stdout is not None
        client.base_url = httpx.URL(process.stdout.readline().strip())
        made = Credentials(**json.loads((data / "credentials.json").read_text()))
        sign_in(client, made.client_id, made.client_secret)
        run = start_a_run(client, made.itwin_id)
        process.kill()

    settings = Settings(data, job_module="platform_jobs", workers=1)
    with serving(settings) as ready, httpx.Client(base_url=ready.api_url) as client:
        sign_in(client, ready.client_id, ready.client_secret)
        while (found := client.get(run).json()["run"])["state"] != "Completed":
            pass
        again = client.post(run.rpartition("/runs/")[0] + "/run")

    assert (found["result"], again.status_code) == ("Success", 202)


def start_a_run(client: httpx.Client, itwin_id: str) -> str:
    """Upload a file, connect it, start a run, and return the run's path."""
    folder = f"/storage/folders/{pair_id(itwin_id, itwin_id)}/files"
    links = client.post(folder, json={"displayName": "wall.ifc"}).json()["_links"]
    upload, complete = links["uploadUrl"]["href"], links["completeUrl"]["href"]
    httpx.put(upload, content=b"a", headers={"x-ms-blob-type": "BlockBlob"})
    file_id = client.post(complete).json()["file"]["id"]
    made = client.post("/imodels", json={"iTwinId": itwin_id, "name": "Bridge"}).json()
    body = {
        "iModelId": made["iModel"]["id"],
        "sourceFiles": [{"storageFileId": file_id, "connectorType": "IFC"}],
    }
    connections = "/synchronization/imodels/storageconnections"
    connection = client.post(connections, json=body).json()["connection"]["id"]
    started = client.post(f"{connections}/{connection}/run")
    return urlsplit(started.headers["location"]).path


def test_the_command_says_when_it_is_ready_and_ends_on_sigterm(data: Path) -> None:
    """What a service manager and a test harness rely on."""
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        discovery = httpx.get(f"{ready['api_url']}/.well-known/openid-configuration")

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
    assert (ready["event"], discovery.json()["issuer"]) == ("ready", ready["api_url"])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal to a group")
def test_ctrl_c_ends_it_without_a_traceback(data: Path) -> None:
    """The terminal sends the signal to the server and to all of its children."""
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()

        os.killpg(process.pid, signal.SIGINT)

        said = process.stderr.read()
        assert (process.wait(20), said) == (0, "")


def test_a_download_that_takes_effect_late_leaves_the_server_responsive(data: Path) -> None:
    """The fault made the server read an endless stream of requests."""
    settings = Settings(data, job_module="platform_jobs", workers=1, admin_routes=True)
    with serving(settings) as ready, httpx.Client(base_url=ready.api_url) as client:
        sign_in(client, ready.client_id, ready.client_secret)
        root = pair_id(ready.itwin_id, ready.itwin_id)
        links = client.post(f"/storage/folders/{root}/files", json={"displayName": "a.ifc"}).json()[
            "_links"
        ]
        upload = links["uploadUrl"]["href"]
        httpx.put(upload, content=b"x" * (1 << 20), headers={"x-ms-blob-type": "BlockBlob"})
        client.post("/localtwin/faults", json={"fault": "late-effect=0@/blobs x1"})

        answer = httpx.get(upload)

        statuses = [client.get("/itwins", timeout=5).status_code for _ in range(20)]

    assert (answer.status_code, set(statuses)) == (504, {200})


def test_a_deleted_itwin_does_not_prevent_the_next_start(data: Path) -> None:
    """Whoever tidies up must be able to go on afterwards."""
    with opened(data) as world:
        world.itwins.delete(world.credentials.itwin_id, user="somebody")
    settings = Settings(data, job_module="platform_jobs", workers=1)

    with serving(settings) as first:
        pass
    with serving(settings) as second:
        pass

    assert (first.itwin_id, first.imodel_id) == (second.itwin_id, second.imodel_id)


def test_a_taken_port_is_named_with_the_way_out(data: Path) -> None:
    """A traceback helps nobody who starts a program."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(data, port=port)

        with pytest.raises(SetupError, match=rf"{port} can't be used .*--port"), serving(settings):
            pass


def test_the_users_command_serves_with_faults_and_ends_on_sigterm(data: Path) -> None:
    """A rehearsal is started by hand, and ended by Ctrl-C or a service manager."""
    reported = ["--data", str(data), "--fault", "throttle=7@/itwins", "--admin"]
    reported += ["--requests-per-minute", "500", "--rate-headers", "ietf"]
    command = [sys.executable, "-m", "twinsyncd", "local", *reported]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        values: dict[str, str] = {}
        while "folder" not in values:  # the last line of what is to be pasted
            name, _, value = process.stdout.readline().strip().partition(" = ")
            values[name] = value
        api_url = values["api_url"].strip('"')
        with httpx.Client(base_url=api_url) as client:
            sign_in(client, values["client_id"].strip('"'), values["client_secret"].strip('"'))
            answer = client.get("/itwins")
            storage = client.get("/storage", params={"iTwinId": values["itwin_id"].strip('"')})
            switches = client.get("/localtwin/faults").json()["faults"]

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert storage.headers["ratelimit-policy"] == '"minute";q=500;w=60'
    assert [switch["kind"] for switch in switches] == ["throttle"]
