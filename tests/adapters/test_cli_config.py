"""`twinsyncd config` and `twinsyncd connectors`: what holds, and what can be written."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from cli_scene import CONFIG, Office

from twinsyncd.config import load, setup_of
from twinsyncd.config.json_schema import json_schema
from twinsyncd.config.schema import SECTIONS
from twinsyncd.connectors import EXTENSIONS, KNOWN_CONNECTORS, READS, RETIRED

EXAMPLE = (Path(__file__).parents[2] / "config.example.toml").read_text("utf-8")


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


def test_what_is_shown_is_a_configuration_that_means_the_same(office: Office) -> None:
    """People copy from it; a value that reads otherwise would change what the daemon does."""
    text = CONFIG.replace("[[connection.source]]", 'settle = "1min30s"\n[[connection.source]]')
    office.configure(text)

    printed = office.types("config", "show")
    again = office.folder / "again.toml"
    again.write_text(printed.out, "utf-8")
    again.chmod(0o600)

    assert printed.code == 0
    assert 'settle = "1min30s"\n' in printed.out
    assert 'scan_every = "auto" # default\n' in printed.out
    assert setup_of(load(again, {})) == setup_of(load(office.config))


def test_what_the_environment_set_is_named_and_no_secret_is_shown(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file does not show why the daemon does otherwise; the output may go into a ticket."""
    monkeypatch.setenv("TWINSYNCD_DAEMON__UPLOADS", "7")
    monkeypatch.setenv("TWINSYNCD_NOTIFY__URLS", '["mailto://me:hunter2@example.com"]')
    monkeypatch.setenv("TWINSYNCD_PLATFORM__API_URL", "https://me:hunter3@example.com")

    shown = office.types("config", "show").out
    for_programs = office.types("config", "show", "--json").out

    assert "uploads = 7 # from TWINSYNCD_DAEMON__UPLOADS\n" in shown
    assert 'client_secret = "[redacted]"' in shown
    assert 'urls = ["[redacted]"] # from TWINSYNCD_NOTIFY__URLS\n' in shown
    assert json.loads(for_programs)["platform"]["api_url"] == "https://[redacted]@example.com"
    assert not re.search("hunter[23]", shown + for_programs)


def test_the_schema_accepts_the_example_and_names_what_it_does_not_know(office: Office) -> None:
    """An editor that underlines a right line, or none, is worse than no schema."""
    printed = office.types("config", "schema")
    schema = json.loads(printed.out)
    validator = jsonschema.Draft202012Validator(schema)
    example = tomllib.loads(EXAMPLE)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert [error.message for error in validator.iter_errors(example)] == []
    example["connection"][0]["settel"] = "5s"
    example["connection"][0]["poll"] = "10"
    found = sorted(error.message for error in validator.iter_errors(example))
    assert len(found) == 2
    assert "'settel' was unexpected" in found[1]


def test_the_schema_explains_every_key() -> None:
    """What an editor shows beside a key is all that many people read."""
    schema = json_schema()

    bare = [
        (section, key)
        for section, model in SECTIONS.items()
        for key, value in (schema["$defs"][model.__name__] if section else schema)[
            "properties"
        ].items()
        if "description" not in value and (*section, key) not in SECTIONS
    ]
    assert bare == []


def test_the_defaults_of_the_schema_are_written_as_the_file_has_them() -> None:
    """An editor inserts them; "PT5S" would be refused at the next start."""
    schema = json_schema()
    wrong = [
        (key, value["default"])
        for table in schema["$defs"].values()
        for key, value in table.get("properties", {}).items()
        if "default" in value
        and not jsonschema.Draft202012Validator({"$defs": schema["$defs"], **value}).is_valid(
            value["default"]
        )
    ]

    assert wrong == []
    connection = schema["$defs"]["Connection"]["properties"]
    assert connection["settle"]["default"] == "5s"
    assert connection["mass_deletion_share"]["default"] == "20%"
    assert connection["scan_every"]["default"] == "auto"


def test_comparisons_with_the_cloud_can_be_left_to_starts_and_syncs(office: Office) -> None:
    """The example says "0s", so it must be possible."""
    office.configure(CONFIG.replace("[daemon]", '[daemon]\ncompare_every = "0s"'))

    assert setup_of(load(office.config)).compare_every_s == 0.0
    assert 'compare_every = "0s"' in office.types("config", "show").out


def test_the_schema_can_be_saved_beside_the_configuration(office: Office) -> None:
    """Editors read it from a file."""
    file = office.folder / "twinsyncd.schema.json"

    assert office.types("config", "schema", "-o", str(file)).code == 0
    assert json.loads(file.read_text("utf-8")) == json_schema()


def test_every_connector_is_listed_with_what_it_reads(office: Office) -> None:
    """A list with holes sends people to the portal's pages, where old names live on."""
    printed = office.types("connectors").out
    listed = json.loads(office.types("connectors", "--json").out)

    assert set(READS) == KNOWN_CONNECTORS
    assert [ending for ending in EXTENSIONS if ending not in printed] == []
    for name in (*KNOWN_CONNECTORS, *RETIRED):
        assert re.search(rf"(?m)^ *{name} ", printed), name
    assert "no longer accepted by the service; it read .csv" in printed
    assert listed["extensions"][".dwg"]["connectors"] == ["DWG", "AUTOPLANT", "CIVIL3D", "MSTN"]
    assert listed["retired"]["AVEVAPID"] == [".dwg"]


def test_a_name_is_answered_with_its_readers(office: Office) -> None:
    """The question is usually about one file."""
    road = office.types("connectors", "road.dgn")
    sketch = office.types("connectors", "pump.vsd")
    zipped = office.types("connectors", "house.ifczip")

    assert 'MSTN           MicroStation, and models of many other programs; "auto"' in road.out
    assert 'write connector = "CIVIL"' in road.out
    assert 'IFC            IFC models of any program; "auto"' in zipped.out
    assert sketch.code == 1
    assert "AVEVADIAGRAMS did, which the service no longer accepts" in sketch.err


def test_a_retired_connector_is_refused_as_such(office: Office) -> None:
    """`did you mean ...` would send people looking for a slip that they did not make."""
    office.configure(CONFIG + '  connector = "AVEVAPID"\n')

    printed = office.types("check", "--offline")

    assert printed.code == 2
    assert "the service no longer accepts the connector AVEVAPID" in printed.err
