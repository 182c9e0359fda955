"""`twinsyncd local`: the iTwin Platform on this machine, with the configuration to use it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AppError, how_to_install

if TYPE_CHECKING:
    from types import ModuleType

    from localtwin.serve import Ready


_Faults = Annotated[
    list[str] | None,
    typer.Option(
        help="What shall go wrong: KIND[=VALUE][@PATH][xTIMES]; repeatable. `--fault help` lists "
        "the kinds."
    ),
]
_Permissions = Annotated[
    str | None,
    typer.Option(
        help="All that the printed client may do in the iTwin, by commas: storage_read,..."
    ),
]
_Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Answer 429 above; the real platform's trial has 500."),
]


class RateHeaders(StrEnum):
    """How ordinary answers report what is left of the rate limit; localtwin's own names."""

    NONE = "none"
    IETF = "ietf"
    X = "x"


def local(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="Where it keeps everything; else the user's data folder."),
    ] = None,
    host: Annotated[str, typer.Option(help="Another than loopback needs --expose.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: the last one, or a free one.")] = 0,
    fault: _Faults = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="Serve /localtwin/faults, to switch faults by HTTP.")
    ] = False,
    permissions: _Permissions = None,
    requests_per_minute: _Limit = None,
    rate_headers: Annotated[
        RateHeaders, typer.Option(help="How answers below the limit report what is left of it.")
    ] = RateHeaders.NONE,
    bulk_snapshot: Annotated[
        bool, typer.Option("--bulk-snapshot", help="The bulk API deletes what a request lacks.")
    ] = False,
    expose: Annotated[
        bool, typer.Option("--expose", help="Let other machines in; needs a certificate.")
    ] = False,
    certificate: Annotated[Path | None, typer.Option(help="PEM file for --expose.")] = None,
    private_key: Annotated[Path | None, typer.Option(help="PEM file for --expose.")] = None,
) -> None:
    """Serve the iTwin Platform on this machine until Ctrl-C; prints the configuration to paste."""
    serve = localtwin_serve()
    from localtwin.faults import parse
    from localtwin.world.access.roles import split_permissions

    try:
        settings = serve.Settings(
            (data or usual_folder()).absolute(),
            host=host,
            port=port,
            faults=tuple(parse(text) for text in fault or ()),
            admin_routes=admin,
            permissions=None if permissions is None else split_permissions(permissions),
            requests_per_minute=requests_per_minute,
            rate_headers=rate_headers.value,
            bulk_snapshot=bulk_snapshot,
            expose=expose,
            certificate=certificate,
            private_key=private_key,
        )
        serve.serve(settings, _announce)
    except serve.SetupError as problem:
        raise AppError(str(problem)) from problem


def localtwin_serve() -> ModuleType:
    """Return the module that serves localtwin. Raises AppError when it is not installed."""
    try:
        from localtwin import serve
    except ImportError as missing:
        raise AppError(
            f"localtwin is not installed completely ({missing})",
            hint=how_to_install("local"),
        ) from missing
    return serve


def usual_folder() -> Path:
    """Return where localtwin keeps its data by default."""
    from platformdirs import user_data_path

    return user_data_path("twinsyncd") / "localtwin"


def _announce(ready: Ready) -> None:
    typer.echo(f"""\
# localtwin, the iTwin Platform on this machine. End it with Ctrl-C.
#   look at it:  {ready.api_url}/
#   its data:    {ready.data}
#
# Save what follows as twinsyncd.toml and name your folder. It holds a secret, so keep it to
# yourself:  chmod 600 twinsyncd.toml
# Programs let people sign in with the client id native-localtwin and a redirect address on
# 127.0.0.1 or localhost, any port.
# Then, in another terminal:
#   twinsyncd check --config twinsyncd.toml
#   twinsyncd sync --config twinsyncd.toml
{bulk_lines(ready)}{_trust(ready)}""")
    typer.echo(config_block(ready, folder="/path/to/your/design/files"))


def bulk_lines(ready: Ready) -> str:
    """Return where the bulk API is, and the configuration of a demo, which needs no other."""
    demo = Path(ready.data).parent / "twinsyncd.toml"
    own = f"""\
#
# A demo made this folder; it has its configuration already: {demo}
"""
    return f"""\
#
# The bulk API is here, too (twinsyncd manual bulk): write below [connection.bulk]
#   url = "{ready.api_url}/api/v1"
#   company_guid = "{ready.bulk_company_guid}"
# and put the api_key of {Path(ready.data) / "bulk.json"} into api_key_file.
{own if demo.exists() else ""}"""


def _trust(ready: Ready) -> str:
    """Return what clients have to do before they believe the certificate."""
    if ready.certificate is None:
        return ""
    name = ready.certificate.name
    return f"""\
#
# Programs must trust the certificate. Unless they know who signed it, copy {name} to
# their machine and start them with  SSL_CERT_FILE=/path/to/{name}
"""


def config_block(
    ready: Ready, *, folder: str, connection: str = "My first connection", extra: str = ""
) -> str:
    """Return a configuration for this localtwin; `extra` goes into the connection's table."""
    return f"""\
[platform]
api_url = "{ready.api_url}"
issuer_url = "{ready.issuer_url}"

[auth]
kind = "service"
client_id = "{ready.client_id}"
client_secret = "{ready.client_secret}"

[[connection]]
name = "{connection}"
itwin_id = "{ready.itwin_id}"
imodel_id = "{ready.imodel_id}"
{extra}
  [[connection.source]]
  folder = "{folder}"
"""
