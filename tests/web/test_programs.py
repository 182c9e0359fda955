# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What programs read: the JSON document, health, metrics, the dashboard and the alert rules."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import twinsyncd.web
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Phase

from .page_scene import BRIDGE, CAD, HOUR_S, LOOK, NOW_S, Office, open_office
from .states import CHANGED, LANE, STATES, State, aside, office_in

DASHBOARDS = Path(twinsyncd.web.__file__).parent / "dashboards"
RUNNING = Decision(
    files=(CHANGED,),
    lanes=(replace(LANE, phase=Phase.RUNNING, run="run-100", since_s=NOW_S - 90.0),),
)


def scraped(office: Office) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and labels."""
    text = office.browser.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_state_is_in_the_json_and_in_health(state: State, tmp_path: Path) -> None:
    """A monitoring system must see what a person sees, and ring only if a person is needed."""
    with office_in(state, tmp_path) as office:
        document = office.browser.get("/api/status").json()
        schema = office.browser.get("/api/status/schema").json()
        health = office.browser.get("/healthz")

    jsonschema.validate(document, schema)
    needs = {each["kind"]: each for each in document["needs"]}
    assert state.kind is not None
    assert state.kind.value in needs
    is_bad = state.level.value == "bad"
    assert needs[state.kind.value]["needs_person"] is is_bad
    assert health.status_code == (503 if is_bad else 200)
    assert len(health.json()["reasons" if is_bad else "waits"]) >= 1


def test_every_key_of_the_document_is_described(tmp_path: Path) -> None:
    """A schema without words is a guess for whoever writes a program."""
    with open_office(tmp_path) as office:
        schema = office.browser.get("/api/status/schema").json()

    kinds: dict[str, Any] = {"StatusDocument": schema, **schema["$defs"]}
    assert [name for name, kind in kinds.items() if not kind.get("description")] == []


def test_the_numbers_of_a_connection(tmp_path: Path) -> None:
    """Ages and latencies say whether people wait; counters alone do not."""
    with open_office(tmp_path, RUNNING, aside("b.dgn", "locked")) as office:
        found = scraped(office)
        document = office.browser.get("/api/status").json()

    bridge = next(each for each in document["connections"] if each["name"] == BRIDGE)
    assert found[("twinsyncd_oldest_change_age_seconds", BRIDGE)] == HOUR_S
    assert bridge["oldest_change_s"] == NOW_S - HOUR_S
    assert found[("twinsyncd_run_age_seconds", BRIDGE)] == 90.0
    assert (
        bridge["active_run"]["usual_duration_s"] == found[("twinsyncd_run_usual_seconds", BRIDGE)]
    )
    assert found[("twinsyncd_latency_seconds", "0.5", BRIDGE)] == bridge["latency_p50_s"]
    assert bridge["latency_p50_s"] < bridge["latency_p95_s"]
    assert found[("twinsyncd_files", BRIDGE, "aside")] == 1.0
    assert found[("twinsyncd_needs_person",)] == 1.0
    assert found[("twinsyncd_in_sync",)] == 0.0
    assert found[("twinsyncd_runs_total", BRIDGE, "partial")] == 1.0
    assert found[("twinsyncd_up",)] == 1.0


def test_a_daemon_that_hangs_is_not_alive_and_a_bad_file_is_no_reason_to_restart(
    tmp_path: Path,
) -> None:
    """A supervisor restarts what /livez says is dead; that mends no drawing."""
    with open_office(tmp_path / "a", beat_s=NOW_S - 600.0) as office:
        hung = office.browser.get("/livez")
        up = scraped(office)[("twinsyncd_up",)]
    with open_office(tmp_path / "b", aside("b.dgn", "locked")) as office:
        bad_file = office.browser.get("/livez")

    assert (hung.status_code, up) == (503, 0.0)
    assert bad_file.status_code == 200


def test_no_secret_reaches_a_program(tmp_path: Path) -> None:
    """Monitoring is read by more people than the drive (P11)."""
    text = "PUT https://host.blob.example.com/c/b?sig=S3CR3T failed"
    halted = replace(LANE, halt=text, not_before_s=NOW_S + 60.0)
    row = FileRow(FileKey(CAD, "x"), LOOK, "b" * 64, aside=text)
    with open_office(tmp_path, Decision(files=(row,), lanes=(halted,))) as office:
        answers = [office.browser.get(path) for path in ("/api/status", "/healthz", "/metrics")]

    assert "host.blob.example.com" in answers[0].text
    assert [answer for answer in answers if "S3CR3T" in answer.text] == []


def test_a_journal_that_is_not_usable_is_unhealthy_and_not_silent(tmp_path: Path) -> None:
    """503 with the reason; a monitoring system must not get a page of HTML or old numbers."""
    with open_office(tmp_path) as office:
        office.journal.close()
        state = office.config.daemon.state_folder
        assert state is not None
        for file in state.glob("journal.sqlite*"):
            file.write_bytes(b"no database at all" * 100)
        answers = [office.browser.get(path) for path in ("/api/status", "/healthz", "/metrics")]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert [bool(answer.json()["reasons"]) for answer in answers] == [True] * 3


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_dashboard_and_alerts_ask_for_metrics_that_exist(name: str, tmp_path: Path) -> None:
    """A rule about a metric that was renamed never rings."""
    text = (DASHBOARDS / name).read_text("utf-8")
    with open_office(tmp_path, RUNNING) as office:
        known = {key[0] for key in scraped(office)} | {"twinsyncd_outlet_up"}

    asked = set(re.findall(r"\btwinsyncd_[a-z_]+", text)) - {"twinsyncd_toml"}
    assert asked - known == set()
    assert len(asked) > 5


def test_dashboard_and_alerts_can_be_loaded() -> None:
    """They are copied as they are."""
    rules = yaml.safe_load((DASHBOARDS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    dashboard = json.loads((DASHBOARDS / "grafana.json").read_text("utf-8"))

    assert all(rule["annotations"]["summary"] and rule["expr"] for rule in rules)
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
