"""The configuration: what a good file becomes, and what each bad one is told."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from twinsyncd.config import Config, load, setup_of, sources_of
from twinsyncd.core.setup import Guard
from twinsyncd.errors import ConfigError, ConfigMistake

ENV = {"TWINSYNCD_AUTH__CLIENT_SECRET": "hunter2"}
IDS = """itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "1b2c3d4e-1111-4222-8333-444455556666"
"""
GOOD = f"""[auth]
client_id = "service-abc"

[[connection]]
name = "Bridge 12"
{IDS}
  [[connection.source]]
  folder = "cad"
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the text as the configuration file, beside folders `cad` and `cad/sub`."""
    (tmp_path / "cad" / "sub").mkdir(parents=True)

    def written(text: str) -> Path:
        file = tmp_path / "twinsyncd.toml"
        file.write_text(text, "utf-8")
        return file

    return written


def mistakes(file: Path, env: dict[str, str] | None = None) -> tuple[ConfigMistake, ...]:
    """Return what is said about a file that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        load(file, ENV if env is None else env)
    return caught.value.mistakes


def only(file: Path, env: dict[str, str] | None = None) -> ConfigMistake:
    """Return the one mistake about the file."""
    (mistake,) = mistakes(file, env)
    return mistake


def lines(config: str, *more: str) -> str:
    """Return the text with lines added at its end."""
    return "\n".join([config.rstrip(), *more, ""])


# ---- a good file ----------------------------------------------------------------------


def test_four_ids_and_a_folder_are_enough(write: Write) -> None:
    """Everything else has a default that a first user can live with."""
    file = write(GOOD)

    config = load(file, ENV)

    (connection,) = config.connection
    assert config.platform.api_url == "https://api.bentley.com"
    assert config.auth.secret() == "hunter2"
    assert connection.source[0].folder == file.parent / "cad"
    assert connection.source[0].storage_folder == "Bridge 12/cad"
    assert connection.settle == timedelta(seconds=5)
    assert connection.scan_every is None


def test_the_environment_outdoes_the_file(write: Write) -> None:
    """A service manager workers over secrets and folders without editing files."""
    file = write(lines("[daemon]\nuploads = 2\nlog_format = 'json'", GOOD))

    config = load(file, {**ENV, "TWINSYNCD_DAEMON__UPLOADS": "7"})

    assert config.daemon.uploads == 7
    assert config.daemon.log_format == "json"


def test_a_secret_from_the_environment_replaces_the_file_named(write: Write) -> None:
    """The example file can be used as it is where the secret comes from elsewhere."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "not there"'))

    assert load(file, ENV).auth.secret() == "hunter2"


def test_the_secret_is_read_from_its_file_each_time(write: Write) -> None:
    """A rotated secret counts without a restart."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    secret = file.parent / "secret"
    secret.write_text("one\n")
    secret.chmod(0o600)

    auth = load(file, {}).auth
    secret.write_text("two\n")

    assert auth.secret() == "two"


def test_the_state_folder_is_systemds_else_the_users(write: Write) -> None:
    """The journal must survive, wherever the program is started from."""
    file = write(GOOD)

    given = load(file, {**ENV, "STATE_DIRECTORY": "/var/lib/twinsyncd:/other"})
    own = load(file, ENV)
    set_in_env = load(file, {**ENV, "TWINSYNCD_DAEMON__STATE_FOLDER": "here"})

    assert given.daemon.state_folder == Path("/var/lib/twinsyncd")
    assert own.daemon.state_folder is not None
    assert own.daemon.state_folder.name == "twinsyncd"
    assert set_in_env.daemon.state_folder == file.parent / "here"


def test_a_plain_address_is_fine_on_this_machine_only(write: Write) -> None:
    """A local rehearsal has no certificate, and nothing leaves the machine."""
    local = '[platform]\napi_url = "http://127.0.0.1:8080/"'

    assert load(write(lines(local, GOOD)), ENV).platform.api_url == "http://127.0.0.1:8080"


def test_a_file_that_notepad_saved_is_read(write: Write) -> None:
    """Windows editors put a mark before the first letter and carriage returns at the ends."""
    file = write("")
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert load(file, ENV).connection[0].name == "Bridge 12"


def test_formats_keep_their_quiet_times_unless_told_otherwise(write: Write) -> None:
    """MicroStation's in-place saves need longer whatever the general time is."""
    added = 'settle = "12s"\nsettle_by_format = { ".DWG" = "1min", ifc = "1s" }\n'

    (connection,) = load(write(GOOD.replace(IDS, IDS + added)), ENV).connection

    seconds = {name: time.total_seconds() for name, time in connection.settle_by_format.items()}
    assert seconds == {"dgn": 30, "rvt": 20, "ifc": 1, "dwg": 60}


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ("", "a/plan.dgn", "MSTN"),
        ("", "a/road.land.xml", "MSTN"),
        ("", "a/notes.xml", None),
        ("", "a/plant.zip", None),
        ('include = ["**"]', "a/plan.dwg", "DWG"),
        ('include = ["**"]', "a/plant.zip", None),
        ('include = ["**/*.{zip,dwg}"]', "a/plant.zip", "SPPID"),
        ('connector = "CIVIL"', "a/road.dgn", "CIVIL"),
        ('connector = "civil"', "a/plan.dwg", None),
        ('connector = "PSEXCEL"', "a/parts.xlsx", "PSEXCEL"),
        ('connector = "CIVIL"\ninclude = ["**/*.xyz"]', "a/road.xyz", "CIVIL"),
    ],
)
def test_the_connector_and_the_files_fit_each_other(
    write: Write, source: str, path: str, expected: str | None
) -> None:
    """A file that no connector can read would fail every run."""
    (found,) = load(write(lines(GOOD, source)), ENV).connection[0].source

    taken = found.matcher().kind(path) == "source"
    assert expected == (found.connector_of(path) if taken else None)


# ---- what the machine gets ------------------------------------------------------------


def two_connections(first: str = "", second: str = "") -> str:
    """Return a file with two connections on one iModel, from two folders."""
    return lines(
        GOOD.replace(IDS, IDS + first).replace('"cad"', '"cad"\n  include = ["*.dgn"]'),
        f'[[connection]]\nname = "Roads"\n{IDS}{second}',
        '[[connection.source]]\nfolder = "cad/sub"\nstorage_folder = "Roads/far/away"',
    )


def test_the_machine_gets_keys_lanes_and_seconds(write: Write) -> None:
    """The core knows no files and no units."""
    text = two_connections(
        'batch_quiet = "1min"\nmass_deletion_share = "2.5 %"\n',
        'scan_every = "2h"\nsettle = "40s"\nmass_deletion_least = 50\n',
    )

    setup = setup_of(load(write(text), ENV))

    assert [each.key for each in setup.connections] == ["Bridge 12", "Roads"]
    assert len({each.lane for each in setup.connections}) == 1
    assert [each.batch_quiet_s for each in setup.connections] == [60, 30]
    assert [each.key for each in setup.sources] == ["Bridge 12/cad", "Roads/far/away"]
    assert [each.scan_every_s for each in setup.sources] == [600, 7200]
    assert [each.scan_remote_every_s for each in setup.sources] == [60, 7200]
    assert [each.quiet_s for each in setup.sources] == [5, 40]
    assert [each.guard for each in setup.sources] == [Guard(0.025, 5), Guard(0.2, 50)]
    assert [each.quiet_by_suffix[".dgn"] for each in setup.sources] == [30, 40]


def test_a_source_keeps_its_key_whatever_else_changes(write: Write) -> None:
    """The journal remembers files by it; a moved block must not send everything again."""
    blocks = two_connections().split("[[connection]]")
    swapped = "[[connection]]".join([blocks[0], blocks[2], blocks[1]])

    def keys(config: Config) -> set[str]:
        return {connection.key_of(source) for connection, source in sources_of(config)}

    assert keys(load(write(two_connections()), ENV)) == keys(load(write(swapped), ENV))


def test_sources_of_one_connection_never_share_a_key(write: Write) -> None:
    """Two folders under one key would take each other's files for deleted."""
    text = lines(GOOD, source("cad/sub", 'storage_folder = "cad"', 'include = ["**/*.dwg"]'))

    config = load(write(text), ENV)

    keys = [connection.key_of(found) for connection, found in sources_of(config)]
    assert keys == ["Bridge 12/cad", "Bridge 12/../cad"]


@pytest.mark.parametrize(
    "added",
    [
        'exclude = ["old/**"]',
        'references = ["xref/**"]',
        'include = ["*.dwg"]',
        'connector = "OBD"',
    ],
)
def test_a_change_of_what_is_wanted_shows_in_the_patterns(write: Write, added: str) -> None:
    """The machine looks through what it remembers once they differ, and only then."""
    before, again = (setup_of(load(write(GOOD), ENV)).sources[0] for _ in range(2))

    after = setup_of(load(write(lines(GOOD, added)), ENV)).sources[0]

    assert before.patterns == again.patterns != after.patterns


# ---- a bad file -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message", "fix"),
    [
        ('client_id = "service-abc"', "client_id = 5", 2, "auth.client_id", "text", "quotes"),
        ("client_id", "client_ID", 2, "auth.client_ID", "not known", '"client_id"'),
        ("client_id", "on_delete", 2, "auth.on_delete", "not known", "[[connection]]"),
        ("client_id", "xyz", 2, "auth.xyz", "not known", "possible here"),
        ('client_id = "service-abc"', "", 1, "auth.client_id", "missing", "client_id ="),
        ("0a1b2c3d-", "", 6, "connection.itwin_id", "not an id", "portal"),
        ("Bridge 12", "Bridge/12", 5, "connection.name", "cannot be the name", "without"),
        ("Bridge 12", " ", 5, "connection.name", "cannot be the name", "characters"),
        ("[[connection]]", "[connection]", 4, "connection", "table", "[[connection]]"),
        ('"cad"', '"cat"', 10, "connection.source.folder", "no folder", "spelling"),
        ('"cad"', '"//nas/cad"', 10, "connection.source.folder", "no folder", "mount"),
        ('"cad"', '"a.txt"', 10, "connection.source.folder", "is a file", "folder"),
        ('"cad"', f'"{"a" * 300}"', 10, "connection.source.folder", "be reached", "mounted"),
        ('"cad"', '""', 10, "connection.source.folder", "empty", "path"),
        ('"cad"', '"~nobody-such/x"', 10, "connection.source.folder", "home", "whole path"),
        ('"cad"', "5", 10, "connection.source.folder", "text", "quotes"),
    ],
)
def test_a_bad_value_is_named_with_line_key_and_fix(
    write: Write, *, old: str, new: str, line: int, key: str, message: str, fix: str
) -> None:
    """The reader is tired, has other work, and did not write this program."""
    file = write(GOOD.replace(old, new, 1))
    (file.parent / "a.txt").touch()

    mistake = next(each for each in mistakes(file) if each.key == key)

    assert (mistake.file, mistake.line) == (str(file), line)
    assert message in mistake.message
    assert fix in mistake.fix


@pytest.mark.parametrize(
    ("added", "key", "message", "fix"),
    [
        ('settle = "5"', "settle", "not a duration", "5s"),
        ('settle = "5 parsecs"', "settle", '"parsecs"', "ms, s, min, h, d"),
        ('settle = "1s 2s"', "settle", "twice", "unit"),
        ('settle = "0s"', "settle", "out of range", "above zero"),
        ('settle = "-5s"', "settle", "not a duration", "5s"),
        ("settle = 5", "settle", "5 is not a duration", "5s"),
        ('settle_by_format = { dgn = "soon" }', "settle_by_format.dgn", "soon", "5s"),
        ('settle_by_format = "30s"', "settle_by_format", "table", "dgn"),
        ('longest_wait = "1s"', "", "shorter than batch_quiet", "longer"),
        ('scan_every = "often"', "scan_every", "not a duration", "10min"),
        ("mass_deletion_share = 0.2", "mass_deletion_share", "not a share", '"20%"'),
        ('mass_deletion_share = "0%"', "mass_deletion_share", "not a share", '"20%"'),
        ('mass_deletion_share = "120 %"', "mass_deletion_share", "not a share", '"20%"'),
        ("mass_deletion_least = 0", "mass_deletion_least", "too small", "at least 1"),
        ('target = "manifest"', "", "a place that the platform fetches files from", "s3://"),
        ('target = "bulk"', "", "a bulk connection has no itwin_id", "delete it"),
        ('objects = { url = "ftp://x" }', "objects.url", "not the address of an object", "gs://"),
        ('objects = { url = "https://x.example" }', "objects", "which", "served_folder"),
        ('objects = { served_folder = "x" }', "objects", "url is none", "https://"),
        ('objects = { url = "s3://x", signed_for = "1" }', "objects.signed_for", "not a", "1h30"),
        ('objects = { credentials_file = "no" }', "objects.credentials_file", "no file", "create"),
        ('target = "cloud"', "target", "possible value", '"storage"'),
        ('on_delete = "trash"', "on_delete", "not a possible value", '"keep"'),
        ('connection_id = "mine"', "connection_id", "not an id", "43"),
        ('setle = "5s"', "setle", "not known", '"settle"'),
    ],
)
def test_a_bad_value_of_a_connection_is_explained(
    write: Write, added: str, key: str, message: str, fix: str
) -> None:
    """A wait that was misread would upload half-written files or none."""
    mistake = only(write(GOOD.replace(IDS, f"{IDS}{added}\n")))

    assert mistake.line == (8 if key else 4)
    assert mistake.key == f"connection.{key}".rstrip(".")
    assert message in mistake.message
    assert fix in mistake.fix


@pytest.mark.parametrize(
    ("added", "key", "message", "fix"),
    [
        ('include = "**/*.dgn"', "include", "list", '["**/*.dgn"'),
        ("include = []", "include", "empty", "at least one"),
        ('include = [\n  "*.dgn",\n  "P:/x/*.dgn",\n]', "include", '"P:/x/*.dgn"', "drive"),
        ('include = ["**/*.pdf"]', "include", '".pdf"', "references"),
        ('exclude = ["../x"]', "exclude", "matches nothing", "own source"),
        ('connector = "MSTM"', "connector", "not a connector", '"MSTN"'),
        ('connector = "zzz"', "connector", "not a connector", "AUTOPLANT, CIVIL"),
        ('storage_folder = "a//b"', "storage_folder", "cannot be the name", "without"),
        ('poll = "1s"', "poll", "not known", "[[connection]]"),
    ],
)
def test_a_bad_value_of_a_source_is_explained(
    write: Write, added: str, key: str, message: str, fix: str
) -> None:
    """A pattern or connector that is wrong leaves drawings out without a word."""
    mistake = only(write(lines(GOOD, added)))

    assert (mistake.line, mistake.key) == (11, f"connection.source.{key}")
    assert message in mistake.message
    assert fix in mistake.fix


def test_a_connector_without_known_names_must_be_told_which_files(write: Write) -> None:
    """There is no default that could be right."""
    mistake = only(write(lines(GOOD, 'connector = "DACQJSON"')))

    assert "DACQJSON" in mistake.message
    assert "include" in mistake.fix


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("client_id", "clientid"),
        ("imodel_id", "imodelid"),
        ("folder", "foldr"),
        ("[[connection]]", "[[conection]]"),
        ("[[connection.source]]", "[[connection.sorce]]"),
    ],
)
def test_one_slip_is_one_mistake(write: Write, right: str, wrong: str) -> None:
    """ "2 mistakes", the first of them "this is missing", sent people to a key that is there."""
    mistake = only(write(GOOD.replace(right, wrong)))

    assert mistake.message == "this key is not known"
    assert mistake.fix.startswith("did you mean")


def test_everything_wrong_is_said_at_once_in_the_order_of_the_file(write: Write) -> None:
    """Nobody wants to start a service ten times to find ten slips."""
    text = GOOD.replace("client_id", "client").replace('"cad"', '"cat"').replace("0a1b", "xyz")

    said = mistakes(write(lines(text, 'conector = "IFC"')))

    assert [each.line for each in said] == [2, 6, 10, 11]


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ('[auth]\nclient_id = "abc\n', 2, "quote"),
        ("[auth]\nclient_id = abc\n", 2, "quotes"),
        ("[auth]\n\n[auth]\n", 3, "twice"),
        ('a = 1\na = "x"\n', 2, "twice"),
        ('[auth]\nfolder = "P:\\projects"\n', 2, "P: is a drive of Windows"),
        ("[auth]\nlist = [\n  1,\n\n[next]\nb = 1", 2, "bracket"),
    ],
)
def test_a_slip_in_the_writing_is_named_with_its_line(
    write: Write, text: str, line: int, fix: str
) -> None:
    """The place where a statement begins is where the missing quote is."""
    mistake = only(write(text))

    assert mistake.line == line
    assert fix in mistake.fix


@pytest.mark.parametrize(
    ("text", "line", "sign"),
    [
        ("[auth]\nclient_id = \u201cabc\u201d\n", 2, "\u201c (left double quotation mark, U+201C)"),
        ("[auth]\nclient_id = \u2018abc\u2019\n", 2, "\u2018 (left single quotation mark, U+2018)"),
        ('[auth]\nclient_id = "abc\u201d\n', 2, "\u201d (right double quotation mark, U+201D)"),
        ('include = [\n  "a",\n  \u201eb\u201c,\n]\n', 3, "\u201e (double low-9 quotation mark"),
        ('[auth]\n\u00a0 client_id = "abc"\n', 2, "the sign U+00A0 (no-break space) in column 1"),
    ],
)
def test_a_sign_of_a_word_processor_is_named(write: Write, text: str, line: int, sign: str) -> None:
    """It came by mail, and looks right to everybody but the parser."""
    mistake = only(write(text))

    assert (mistake.line, mistake.message.startswith(sign)) == (line, True), mistake.message
    assert ("straight quotation mark" in mistake.fix) == ("quotation mark" in sign)


def test_a_curly_quotation_mark_within_a_text_is_none_of_its_mistakes(write: Write) -> None:
    """A name may hold it; what is wrong there is the missing comma."""
    mistake = only(write('include = ["\u201ca\u201d" "b"]\n'))

    assert "quotation mark of word processors" not in mistake.message


def test_a_file_that_is_not_there_or_not_text_is_said_so(write: Write, tmp_path: Path) -> None:
    """The first thing that goes wrong is the path after --config."""
    assert "no such file" in only(tmp_path / "elsewhere.toml").message
    assert "cannot be read" in only(tmp_path).message

    file = write("")
    file.write_bytes("[auth]".encode("utf-16"))

    assert "UTF-8" in only(file).message


def test_an_empty_file_is_told_what_it_needs(write: Write) -> None:
    """It is the file that `touch` left."""
    said = mistakes(write(""), {})

    assert [each.key for each in said] == ["auth", "connection"]
    assert all(each.line == 0 for each in said)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TWINSYNCD_DAEMON__UPLOADS", "many", "whole number"),
        ("TWINSYNCD_DAEMON__UPLOADS", "0", "too small"),
        ("TWINSYNCD_DAEMON__UPLOADS", "1000", "too large"),
        ("TWINSYNCD_DAEMON__UPLAODS", "4", "not known"),
        ("TWINSYNCD_PLATFORM__API_URL", "http://example.com", "unencrypted"),
        ("TWINSYNCD_PLATFORM__API_URL", "example.com", "not a web address"),
        ("TWINSYNCD_PLATFORM__API_URL", "https://example.com:port", "not a web address"),
        ("TWINSYNCD_PLATFORM__ISSUER_URL", "https://example.com:99999", "not a web address"),
    ],
)
def test_a_bad_value_of_the_environment_is_named_by_its_variable(
    write: Write, name: str, value: str, message: str
) -> None:
    """A line number would send the reader to a file that is right."""
    mistake = only(write(GOOD), {**ENV, name: value})

    assert (mistake.file, mistake.line, mistake.key) == ("environment", 0, name)
    assert message in mistake.message


def test_a_whole_section_in_one_variable_is_refused_in_words(write: Write) -> None:
    """It must be JSON, and nobody means that."""
    mistake = only(write(GOOD), {**ENV, "TWINSYNCD_DAEMON": "uploads=4"})

    assert mistake.file == "environment"
    assert "__" in mistake.fix


# ---- secrets --------------------------------------------------------------------------


def test_a_missing_secret_is_told_where_it_can_come_from(write: Write) -> None:
    """Nobody guesses the name of an environment variable."""
    mistake = only(write(GOOD), {})

    assert mistake.line == 1
    assert "TWINSYNCD_AUTH__CLIENT_SECRET" in mistake.fix


def test_two_secrets_in_one_file_are_refused(write: Write) -> None:
    """One of them is old, and nobody remembers which."""
    both = '[auth]\nclient_secret = "a"\nclient_secret_file = "secret"'
    file = write(GOOD.replace("[auth]", both))
    (file.parent / "secret").write_text("b")
    (file.parent / "secret").chmod(0o600)

    assert "two client secrets" in only(file, {}).message


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize(("mode", "refused"), [(0o644, True), (0o640, False), (0o600, False)])
def test_a_secret_that_everybody_can_read_is_refused(
    write: Write, mode: int, refused: bool
) -> None:
    """A secret in a world-readable file is no secret, inline or in a file of its own."""
    inline = write(GOOD.replace("[auth]", '[auth]\nclient_secret = "hunter2"'))
    inline.chmod(mode)
    assert lines_refused(inline, {}) == ([2] if refused else [])

    named = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    (named.parent / "secret").write_text("hunter2")
    (named.parent / "secret").chmod(mode)
    assert lines_refused(named, {}) == ([2] if refused else [])


def lines_refused(file: Path, env: dict[str, str]) -> list[int]:
    """Return the lines of all mistakes; none if the file can be used."""
    try:
        load(file, env)
    except ConfigError as error:
        return [mistake.line for mistake in error.mistakes]
    return []


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secret_file_without_a_secret_is_refused(write: Write, content: str | None) -> None:
    """The platform would only say that the client is unknown."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    if content is not None:
        (file.parent / "secret").write_text(content)

    assert only(file, {}).line == 2


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfhunter2\r\n", b"hunter2\n", b" hunter2"])
def test_a_secret_is_read_however_an_editor_saved_it(write: Write, content: bytes) -> None:
    """Editors on Windows begin a file with a byte order mark; it is no part of the secret."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    (file.parent / "secret").touch(0o600)
    (file.parent / "secret").write_bytes(content)

    assert load(file, {}).auth.secret() == "hunter2"


def test_a_secret_of_another_encoding_is_named_as_that(write: Write) -> None:
    """ "Create it" helps nobody who has created it."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    (file.parent / "secret").touch(0o600)
    (file.parent / "secret").write_bytes("hunter2".encode("utf-16"))

    mistake = only(file, {})

    assert "UTF-8" in mistake.message
    assert "save it" in mistake.fix


def test_a_secret_that_may_not_be_read_is_not_to_be_created(write: Write) -> None:
    """It exists; the account that runs the program lacks the right."""
    file = write(GOOD.replace("[auth]", '[auth]\nclient_secret_file = "secret"'))
    (file.parent / "secret").mkdir()

    mistake = only(file, {})

    assert "cannot be read (" in mistake.message
    assert "account" in mistake.fix


REAL_ID = "MWplZe9Uf0iR1IDMqyOMLqBN0_wHEVBGg_CzJmXdmE4"


@pytest.mark.parametrize("given", [REAL_ID, f" {REAL_ID} ", "2c3d4e5f-1111-4222-8333-444455556666"])
def test_a_connection_id_is_taken_as_the_service_made_it(write: Write, given: str) -> None:
    """Real ids are opaque, 43 characters, and their letter case matters."""
    file = write(GOOD.replace(IDS, f'{IDS}connection_id = "{given}"\n'))

    assert load(file, ENV).connection[0].connection_id == given.strip()


@pytest.mark.parametrize("given", ["a/b", "../x", "short", f"{REAL_ID}?x=1", ""])
def test_a_connection_id_that_is_no_single_segment_is_refused(write: Write, given: str) -> None:
    """It becomes a part of an address."""
    file = write(GOOD.replace(IDS, f'{IDS}connection_id = "{given}"\n'))

    assert only(file).key == "connection.connection_id"


@pytest.mark.parametrize("given", ["https://a.example", "a b", "", "a.example/x", "a:443"])
def test_a_host_is_written_as_a_bare_name(write: Write, given: str) -> None:
    """A host that never matches would trust nobody, or everybody."""
    file = write(f'[platform]\nupload_hosts = ["{given}"]\n{GOOD}')

    assert only(file).key == "platform.upload_hosts"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("proxy", "socks5://127.0.0.1:1080", "SOCKS"),
        ("proxy", "http://proxy:port", "not the address"),
        ("proxy", "ftp://proxy:21", "not the address"),
        ("proxy", "http://user:s3cret@:3128", "not the address"),
        ("ca_bundle", "gone.pem", "cannot be read"),
        ("ca_bundle", "twinsyncd.toml", "cannot be read"),
    ],
)
def test_an_unusable_way_to_the_network_is_named_with_its_line(
    write: Write, key: str, value: str, words: str
) -> None:
    """A proxy that is mistyped looks like an outage of the cloud otherwise."""
    found = only(write(f'[platform]\n{key} = "{value}"\n{GOOD}'))

    assert (found.key, found.line) == (f"platform.{key}", 2)
    assert words in found.message
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{ ignoreDgnAttachment = true }", "ignoreDgnAttachments"),
        ("{ ignoreDgnAttachments = 3 }", "true"),
    ],
)
def test_a_run_setting_that_the_platform_does_not_know_is_named(
    write: Write, value: str, words: str
) -> None:
    """The service would refuse it at the first run, in words of its own."""
    found = only(write(GOOD.replace(IDS, f"{IDS}run_settings = {value}\n")))

    assert found.key == "connection.run_settings"
    assert words in found.fix


def test_a_proxy_may_be_written_without_its_scheme(write: Write) -> None:
    """That is how network departments hand it out."""
    config = load(write(f'[platform]\nproxy = "proxy.example.com:3128"\n{GOOD}'), ENV)

    assert config.platform.proxy == "http://proxy.example.com:3128"


def test_no_complaint_and_no_picture_of_the_configuration_shows_the_secret(write: Write) -> None:
    """Configurations are pasted into mails when something is wrong."""
    inline = GOOD.replace("[auth]", '[auth]\nclient_secret = "hunter2"')
    file = write(inline.replace('"cad"', '"cat"'))
    file.chmod(0o644)

    said = "\n".join(str(each) for each in mistakes(file, {}))

    assert "hunter2" not in said
    assert "hunter2" not in repr(load(write(GOOD), ENV))


# ---- one file, two claims -------------------------------------------------------------


def source(folder: str, *keys: str) -> str:
    """Return one more source of the last connection."""
    return lines("[[connection.source]]", f'folder = "{folder}"', *keys)


def test_two_connections_cannot_share_a_name(write: Write) -> None:
    """Everything that is remembered is remembered under it."""
    mistake = only(write(two_connections().replace('"Roads"', '"BRIDGE 12"')))

    assert mistake.key == "connection.name"
    assert "line 5" in mistake.message


def test_the_same_folder_and_patterns_twice_is_refused_without_any_file(write: Write) -> None:
    """It can only go wrong, today or with the first file."""
    second = source("./cad/", 'storage_folder = "other"')

    mistake = only(write(lines(GOOD, second)))

    assert (mistake.line, mistake.key) == (11, "connection.source.include")
    assert "line 9" in mistake.message


def test_a_file_that_two_sources_take_is_named(write: Write) -> None:
    """The platform refuses the second mapping, days later and with a number."""
    second = source("cad/sub", 'include = ["**/*.dgn"]')
    file = write(lines(GOOD, second))
    (file.parent / "cad" / "sub" / "plan.dgn").touch()

    mistake = only(file)

    assert mistake.line == 13
    assert str(Path("cad/sub/plan.dgn")) in mistake.message
    assert "line 9" in mistake.message


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ('exclude = ["sub/**"]', 'include = ["**/*.dgn"]'),
        ('references = ["sub/**"]', 'include = ["**/*.dgn"]'),
        ('include = ["*.dgn"]', ""),
        ("", 'include = ["**/*.dwg"]'),
    ],
)
def test_nested_folders_are_fine_while_no_file_is_taken_twice(
    write: Write, outer: str, inner: str
) -> None:
    """One folder for everybody and one for the roads team is how offices work."""
    file = write(lines(GOOD, outer, source("cad/sub", inner)))
    (file.parent / "cad" / "sub" / "plan.dgn").touch()

    assert len(load(file, ENV).connection[0].source) == 2


def test_the_order_of_nested_folders_does_not_matter(write: Write) -> None:
    """The inner folder may stand first."""
    file = write(lines(GOOD.replace('"cad"', '"cad/sub"'), source("cad")))
    (file.parent / "cad" / "sub" / "plan.dgn").touch()

    assert str(Path("cad/sub/plan.dgn")) in only(file).message


def test_one_file_may_feed_two_imodels(write: Write) -> None:
    """Only within one iModel would it be drawn twice."""
    other = IDS.replace("1b2c", "9999")
    file = write(lines(GOOD, f'[[connection]]\nname = "Copy"\n{other}', source("cad")))
    (file.parent / "cad" / "plan.dgn").touch()

    assert len(load(file, ENV).connection) == 2


def test_two_sources_cannot_share_a_folder_in_storage(write: Write) -> None:
    """Two files of one name would overwrite each other for ever."""
    (write("").parent / "b" / "cad").mkdir(parents=True)

    mistake = only(write(lines(GOOD, source("b/cad"))))

    assert mistake.line == 11
    assert '"Bridge 12/cad"' in mistake.message
    assert "storage_folder" in mistake.fix


@pytest.mark.parametrize(("folder", "refused"), [("b", True), ("cad/sub", False)])
def test_a_storage_folder_inside_another_must_hold_the_same_files(
    write: Write, folder: str, refused: bool
) -> None:
    """Otherwise a file of one source overwrites a file of the other."""
    file = write(lines(GOOD, source(folder, 'storage_folder = "bridge 12/CAD/sub"')))
    (file.parent / "b").mkdir()

    assert lines_refused(file, ENV) == ([13] if refused else [])


def test_the_same_folder_with_a_shared_pattern_is_refused_without_any_file(write: Write) -> None:
    """Two lists that overlap in one line are the usual slip."""
    first = GOOD + '  include = ["**/*.dgn", "**/*.dwg"]\n'
    second = source("cad", 'include = ["**/*.dwg"]', 'storage_folder = "other"')

    assert '"**/*.dwg"' in only(write(lines(first, second))).message


def test_a_broken_link_or_loop_in_a_folder_does_not_stop_the_check(write: Write) -> None:
    """Shares are full of them."""
    file = write(lines(GOOD, source("cad/sub", 'include = ["**/*.dwg"]')))
    (file.parent / "cad" / "sub" / "loop").symlink_to(file.parent / "cad")
    (file.parent / "cad" / "gone.dgn").symlink_to(file.parent / "nowhere.dgn")

    assert len(load(file, ENV).connection[0].source) == 2


def test_finding_a_line_stays_quick_in_a_long_file(write: Write) -> None:
    """An office with two hundred connections makes slips too."""
    block = f'[[connection]]\nname = "C%d"\n{IDS}[[connection.source]]\nfolder = "cad"\n'
    text = "".join(block % number for number in range(200))
    file = write("[auth]\nclient_id = 'a'\n" + text.replace('"C199"', "5"))

    said = mistakes(file)

    assert [each.line for each in said] == [2 + 199 * 6 + 2]
    assert tomllib.loads(file.read_text())["connection"][199]["name"] == 5


BULK = """
[[connection]]
name = "Factory"
target = "bulk"
  [connection.bulk]
  url = "https://factory.example/api/v1"
  company_guid = "0a1b2c3d-1111-4222-8333-444455556666"
  api_key_env = "KEY"
  [[connection.source]]
  folder = "cad"
    [connection.source.rows]
    entity = "components"
    columns = { code = "Code" }
    keys = { guid = ["Code"], project_guid = ["Project"] }
"""


def test_a_file_of_bulk_connections_alone_needs_no_sign_in(write: Write) -> None:
    """A factory without an iModel has no account at the platform."""
    config = load(write(BULK), {})

    assert config.connection[0].source[0].matcher().file("below/parts.parquet")
    assert config.connection[0].lane


@pytest.mark.parametrize(
    ("found", "written", "message", "fix"),
    [
        ('api_key_env = "KEY"', "", "API key is missing", "api_key_file"),
        ('entity = "components"', 'entity = "parts"', "possible value", '"pieces"'),
        ('entity = "components"', "", "not said what", "entity"),
        ('guid = ["Code"], ', "", "make all records again", "keys"),
        ('code = "Code"', "", "components need code", "columns"),
        ('code = "Code"', 'code = "Code", colour = "C"', "no field colour", "designation"),
        ('project_guid = ["P', 'code = ["P', "code is none", "columns or constants"),
        ('url = "https', 'url = "http', "unencrypted", "https://"),
        ('url = "https://factory.example/api/v1"', "", "address of its API", "company_guid"),
        ('api_key_env = "KEY"', 'email = "a@b.c"', "API key is missing", "password_file"),
        ('api_key_env = "KEY"', 'password_env = "P"', "address and its password", "email"),
        ('KEY"', 'KEY"\nemail = "a@b.c"', "both an API key and an account", "keep either"),
        (
            'api_key_env = "KEY"',
            'api_key_env = "KEY"\nmode = "all"',
            "'all' is not a possible value",
            '"snapshot"',
        ),
        ('KEY"', 'KEY"\nmode = "snapshot"', "so it is one file", 'include = ["components.csv"]'),
    ],
)
def test_a_mistake_in_a_bulk_connection_is_explained(
    write: Write, found: str, written: str, message: str, fix: str
) -> None:
    """A field that is misspelt would otherwise be lost in silence, record by record."""
    assert found in BULK

    with pytest.raises(ConfigError) as caught:
        load(write(BULK.replace(found, written)), {})

    text = str(caught.value)
    assert message in text
    assert fix in text


def test_two_senders_of_one_set_are_refused_where_one_is_a_snapshot(write: Write) -> None:
    """The snapshot would delete what the other one sent, and the other way round."""
    one = BULK.replace('"cad"', '"cad"\n  include = ["components.csv"]')
    snapshot = one.replace("Factory", "Second").replace('"KEY"', '"KEY"\nmode = "snapshot"')

    with pytest.raises(ConfigError) as caught:
        load(write(one + snapshot), {})

    assert "two connections send components of one company" in str(caught.value)
