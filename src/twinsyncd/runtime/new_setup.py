"""What `twinsyncd init` asks the drive and the platform, before there is a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..cloud.session import Cloud, CloudSettings, open_cloud
from ..cloud.token_store import TokenStore
from ..cloud.values import Named
from ..config import Auth, Config, DaemonSection, Platform
from ..config.proposal import FolderContent, content_of
from ..disk.survey import survey
from ..disk.tree import Tree
from .share_threads import ShareThreads
from .sign_in import Person, sign_in

__all__ = ["Access", "Cloud", "Named", "imodels_of", "itwins_of", "look_into", "signed_in"]

SURVEY_MAX: Final = 50_000  # names read to propose patterns; the rest has the same endings
SILENCE_S: Final = 20.0
SIGN_IN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Access:
    """Where the platform is and who signs in there; `secret` None for a person."""

    api_url: str
    issuer_url: str
    client_id: str
    secret: Callable[[], str] | None
    state_folder: Path  # where a person's sign-in is kept
    redirect_url: str = ""  # where that person's browser comes back to; "": the usual place


def look_into(folder: Path) -> FolderContent:
    """Return what lies in the folder. Raises DiskError if it does not answer."""
    threads = ShareThreads("init", SILENCE_S)
    tree = Tree(folder, threads.note_progress)
    return content_of(threads.call(lambda: list(survey(tree, SURVEY_MAX))))


@contextmanager
def signed_in(access: Access, person: Person) -> Iterator[Cloud]:
    """Yield the platform, signed in; a person is asked to sign in first. Raises CloudError."""
    if access.secret is None:
        sign_in(_config_of(access), person, SIGN_IN_S)
    settings = CloudSettings(
        client_id=access.client_id,
        client_secret=access.secret or str,
        sign_ins=None if access.secret else TokenStore(access.state_folder, "auto"),
        api_url=access.api_url,
        issuer_url=access.issuer_url,
    )
    with open_cloud(settings) as cloud:
        cloud.login.token()
        yield cloud


def itwins_of(cloud: Cloud) -> list[Named]:
    """Return the iTwins that the signed-in identity is a member of, by name."""
    return sorted(cloud.platform.itwins(), key=_by_name)


def imodels_of(cloud: Cloud, itwin_id: str) -> list[Named]:
    """Return the iModels of an iTwin, by name."""
    return sorted(cloud.platform.imodels(itwin_id), key=_by_name)


def _by_name(each: Named) -> tuple[str, str]:
    return each.name.casefold(), each.id


def _config_of(access: Access) -> Config:
    """Return as much of a configuration as a sign-in needs."""
    auth = Auth(kind="user", client_id=access.client_id)
    redirect = {"redirect_url": access.redirect_url} if access.redirect_url else {}
    return Config.model_construct(
        platform=Platform(api_url=access.api_url, issuer_url=access.issuer_url),
        auth=auth.model_copy(update=redirect),
        daemon=DaemonSection(state_folder=access.state_folder),
        connection=(),
    )
