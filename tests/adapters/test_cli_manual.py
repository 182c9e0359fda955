"""The manual: complete by test, so that it can be trusted where the reader cannot read code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cli_scene import Office

from twinsyncd.config.schema import SECTIONS
from twinsyncd.manual import TOPICS, text_of, title_of
from twinsyncd.manual.messages import messages

SRC = Path(__file__).parents[2] / "src" / "twinsyncd"
CODE = "\n".join(file.read_text("utf-8") for file in SRC.rglob("*.py"))
JOINED = re.sub(r'"\s*f?"', "", CODE)
"""The code with texts that go on over several lines in one piece."""


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office in a folder of its own."""
    return Office(tmp_path, monkeypatch, capsys)


def test_every_file_of_the_manual_is_a_topic() -> None:
    """A page that no list names is read by nobody."""
    assert sorted(TOPICS) == sorted(file.stem for file in (SRC / "manual").glob("*.md"))
    assert all(title_of(topic) for topic in TOPICS)


def test_the_manual_explains_every_key() -> None:
    """The configuration is all that most people ever touch."""
    text = text_of("configuration")

    missing = [
        (*section, key)
        for section, model in SECTIONS.items()
        for key in model.model_fields
        if (*section, key) not in SECTIONS and f"\n**{key}**" not in text
    ]
    assert missing == []
    assert "<!--" not in text


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ('"…" is not a duration', "write a number and a unit"),
        ("there is no file …", "create it with …"),
        ("another twinsyncd keeps the journal in …", "ask it with `twinsyncd sync`"),
        ("only root can install a service", "run it with sudo"),
        ("these are missing: …", "give … a role in the iTwin with:"),
        ("the account … cannot write to it / make it in …", "run: sudo install -d -o …"),
    ],
)
def test_every_kind_of_error_is_listed_with_its_fix(text: str, fix: str) -> None:
    """The list is read from the code; each way to raise an error must be understood by it."""
    found = [each.fix for each in messages() if each.text == text]

    assert any(fix in each for each in found), found


def test_no_message_of_a_mistake_is_left_out() -> None:
    """A way of writing it that the list does not understand would hide a message."""
    calls = len(re.findall(r"\braise mistake\(", CODE))
    listed = [each for each in messages() if each.module.startswith("config")]

    assert calls > 40
    assert len(listed) >= 0.8 * calls


def test_every_state_of_the_manual_is_said_by_the_program() -> None:
    """People search the manual for the words before them."""
    states = re.findall(r"(?m)^\| `([^`]+)` \|", text_of("messages"))

    assert len(states) >= 20
    assert [state for state in states if state not in JOINED] == []


def test_every_command_is_in_the_manual_and_in_the_man_page(office: Office) -> None:
    """A command that is explained nowhere is not there for those who need it."""
    page = office.types("manual", "--man").out
    commands = set(re.findall(r"\.SS \\fBtwinsyncd ([a-z ]+)\\fR", page))
    text = text_of("commands")

    assert {"run", "service install", "imodel diff", "config schema"} <= commands
    words = {name.split()[0] for name in commands}
    assert [word for word in sorted(words) if f"twinsyncd {word}" not in text] == []


def test_the_man_page_is_one(office: Office) -> None:
    """A dot at the start of a line would vanish in silence."""
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    page = office.types("manual", "--man").out

    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=True
    )

    assert done.stderr == ""
    assert "EXIT STATUS" in re.sub(r".\x08", "", done.stdout)


def test_a_topic_is_printed_as_it_was_written_where_no_terminal_is(office: Office) -> None:
    """Whoever pipes it wants text without escapes."""
    assert office.types("manual", "operations").out == text_of("operations")
    assert "setup          Set up" in office.types("manual").out


def test_a_slip_in_a_topic_is_answered_with_the_nearest(office: Office) -> None:
    """Nobody remembers the names."""
    printed = office.types("manual", "oprations")

    assert printed.code == 1
    assert 'did you mean "operations"?' in printed.err


def test_the_manual_can_be_searched(office: Office) -> None:
    """The question is a word, and its topic is what is not known."""
    found = office.types("manual", "-s", "CREDENTIALS")
    nothing = office.types("manual", "-s", "zyzzyva")

    assert "security: " in found.out
    assert nothing.code == 1


def test_configurations_in_the_manual_are_toml(office: Office) -> None:
    """They are copied."""
    blocks = re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", text_of("setup"))
    tables = [block for block in blocks if "[[connection" in block]

    assert len(tables) == 2
    for block in tables:
        assert "connection" in tomllib.loads(re.sub(r"(?m)^    ", "", block))


def test_what_programs_get_is_documented(office: Office) -> None:
    """A member without an explanation is one that will be changed."""
    office.save("a.ifc")
    text = text_of("json")
    found = json.loads(office.types("check", "--offline", "--json").out)
    listed = json.loads(office.types("connectors", "--json").out)
    office.remember()
    status = json.loads(office.types("status", "--json").out)
    schema = json.loads(office.types("status", "--schema").out)
    documented = re.findall(r"(?m)^\| ([\w, ]+) \|", text.split("## twinsyncd check")[0])
    parts = (schema, *schema["$defs"].values())

    assert {name for row in documented for name in row.split(", ")} - {"member"} == {
        name for part in parts for name in part["properties"] if part["title"] != "OutletDocument"
    }
    assert list(status) == list(schema["properties"])
    assert [key for key in (*found, *listed) if f"| {key} |" not in text] == []
    assert [key for key in found["results"][0] if key not in text] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    """It is the first page that anybody sees."""
    top = SRC.parents[1]
    links = re.findall(r"\]\(([^)#:]+)\)", (top / "README.md").read_text("utf-8"))

    assert len(links) > 10
    assert [link for link in links if not (top / link).exists()] == []


def test_every_part_that_can_be_installed_is_in_the_manual() -> None:
    """Whoever wants messages must find the part that sends them."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    text = text_of("install")

    extras = set(project["project"]["optional-dependencies"]) - {"dev"}
    assert {each for each in extras if f"| {each} | " not in text} == set()
