"""The answers to `twinsyncd init`: from options, else from the person at the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from ..connectors import READS
from ..errors import AppError, CloudError, DiskError
from .login import person_at_terminal

if TYPE_CHECKING:
    from ..config.draft import Draft, DraftSource
    from ..config.proposal import FolderContent
    from ..runtime.new_setup import Access, Cloud, Named

WITHOUT_ACCOUNT: Final = (
    "It needs an application that is registered in the developer portal. To try twinsyncd without"
    " one, end this and run: twinsyncd local; it prints a configuration that is complete."
)
SIGN_IN_TRIES: Final = 3  # before somebody has to look up what was wrong
SECRET: Final = "client_secret"  # noqa: S105 - the name of a file and of a key
SECRET_VARIABLE: Final = "TWINSYNCD_AUTH__CLIENT_SECRET"  # noqa: S105 - a name


@dataclass(frozen=True)
class Secret:
    """The client secret: in its file, or as it was typed (`typed`) and not kept yet."""

    file: Path
    typed: str = field(default="", repr=False)

    def read(self) -> str:
        """Return the secret. Raises OSError."""
        return self.typed or self.file.read_text("utf-8-sig").strip()

    def keep(self) -> None:
        """Write what was typed to its file; only once the platform has accepted it."""
        if not self.typed:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.touch(0o600, exist_ok=False)
            self.file.write_text(f"{self.typed}\n", "utf-8")
        except OSError as exc:
            raise AppError(f"{self.file} cannot be written: {exc.strerror}") from exc
        typer.echo(f"the secret is kept in {self.file}, which only this account can read")


@dataclass
class Answers:
    """What was given by options; `ask`: whether somebody can be asked for the rest."""

    file: Path
    ask: bool
    folders: Sequence[Path] = ()
    kind: str = ""
    client_id: str = ""
    secret_file: Path | None = None
    itwin: str = ""
    imodel: str = ""
    name: str = ""
    connectors: Mapping[str, str] = field(default_factory=dict)
    api_url: str = ""
    issuer_url: str = ""
    redirect_url: str = ""
    id_typed: str = ""  # with what was refused, and is asked for once more

    def draft(self) -> Draft:
        """Return the configuration that the answers come to. Raises AppError."""
        from ..config.draft import Draft
        from ..runtime.new_setup import imodels_of, itwins_of

        sources = [(folder, self._content(folder)) for folder in self._folders()]
        with ExitStack() as stack:
            access, secret, cloud = self._signed_in(stack)
            typer.echo(f"signed in as {cloud.login.identity}")
            if secret is not None:
                secret.keep()
            itwin = self._chosen("iTwin", itwins_of(cloud), self.itwin, _invite(cloud))
            imodels = imodels_of(cloud, itwin.id)
            imodel = self._chosen("iModel", imodels, self.imodel, "create one in the portal")
        name = self.name or self._asked("Name of the connection", imodel.name)
        return Draft(
            api_url=access.api_url,
            issuer_url=access.issuer_url,
            client_id=access.client_id,
            secret_file=str(secret.file) if secret else "",
            redirect_url=self.redirect_url,
            name=name,
            itwin_id=itwin.id,
            imodel_id=imodel.id,
            sources=self._sources(name, sources),
            usual_state_folder=access.state_folder.as_posix(),
        )

    # ---- folders ------------------------------------------------------------------------

    def _folders(self) -> list[Path]:
        folders = list(self.folders)
        while not folders:
            given = self._asked("Folder with the design files", missing="--folder")
            folder = Path(given.strip("\"' "))
            if reason := _unreachable(folder):
                typer.echo(f"  {reason}")
            else:
                folders.append(folder)
        for folder in folders:
            if reason := _unreachable(folder):
                raise AppError(reason)
        return [each.expanduser().absolute() for each in folders]

    def _content(self, folder: Path) -> FolderContent:
        from ..runtime.new_setup import look_into

        try:
            content = look_into(folder)
        except DiskError as exc:
            raise AppError(f"{folder}: {exc}", hint=exc.hint) from exc
        found = ", ".join(f"{number} {ending}" for ending, number in content.endings.items())
        typer.echo(f"{folder}: {found or 'no design files yet'}")
        if left := content.left_out():
            typer.echo(
                f"  not taken: {left}; a pattern for those that you need belongs into include"
            )
        return content

    def _sources(
        self, name: str, sources: Sequence[tuple[Path, FolderContent]]
    ) -> list[DraftSource]:
        from ..config.draft import DraftSource
        from ..config.proposal import SourceProposal, propose

        drafts: list[DraftSource] = []
        taken: set[str] = set()
        for folder, content in sources:
            chosen = self._programs(content)
            for proposal in propose(content, chosen) or [SourceProposal(())]:
                usual = f"{name}/{folder.name or 'files'}"
                place = usual if usual not in taken else f"{usual} {proposal.connector}"
                number = 2
                while place in taken:
                    place, number = f"{usual} {number}", number + 1
                taken.add(place)
                own = "" if place == usual else place
                drafts.append(DraftSource(folder.as_posix(), proposal, own))
        return drafts

    def _programs(self, content: FolderContent) -> dict[str, str]:
        """Return the connector of each ending for which somebody chose one."""
        chosen = {
            each: self.connectors[each] for each in content.endings if each in self.connectors
        }
        for ending, readers in content.choices().items():
            if self.ask and ending not in chosen:
                chosen[ending] = self._program(ending, *readers)
        return chosen

    def _program(self, ending: str, default: str, *others: str) -> str:
        typer.echo(f"Of which program are the {ending} files?")
        readers = (default, *others)
        for number, reader in enumerate(readers, 1):
            typer.echo(f"  {number}  {READS[reader]} ({reader})")
        return readers[_number(len(readers), default=1) - 1]

    # ---- sign-in ------------------------------------------------------------------------

    def _signed_in(self, stack: ExitStack) -> tuple[Access, Secret | None, Cloud]:
        """Return the platform, signed in; what was typed wrongly is asked for once more."""
        from ..runtime.new_setup import signed_in

        self._ask_where()
        for tries_left in reversed(range(SIGN_IN_TRIES)):
            access, secret = self._access()
            try:
                cloud = stack.enter_context(signed_in(access, person_at_terminal(browser=True)))
            except CloudError as exc:
                is_typed = self.ask and secret is not None and bool(secret.typed)
                if not (is_typed and tries_left):
                    raise
                typer.echo(f"  {exc.with_hint}")
                self.id_typed = access.client_id
            else:
                return access, secret, cloud
        raise AssertionError("the last try returns or raises")

    def _ask_where(self) -> None:
        from ..config import Platform

        if self.ask and not (self.api_url or self.client_id):
            typer.echo(WITHOUT_ACCOUNT)
        self.api_url = self.api_url or self._asked("Address of the platform", Platform().api_url)
        self.kind = self.kind or self._asked("Who signs in, service or user", "service")
        if self.kind not in {"service", "user"}:
            raise AppError(f"{self.kind!r} cannot sign in", hint="write service or user")

    def _access(self) -> tuple[Access, Secret | None]:
        from ..config import Platform
        from ..runtime.new_setup import Access

        usual = Platform()
        own = usual.issuer_url if self.api_url == usual.api_url else self.api_url
        client_id = self.client_id or self._asked("Client id", self.id_typed, missing="--client-id")
        secret = self._secret() if self.kind == "service" else None
        access = Access(
            self.api_url,
            self.issuer_url or own,
            client_id,
            secret.read if secret else None,
            _state_folder(self.file),
            self.redirect_url,
        )
        return access, secret

    def _secret(self) -> Secret:
        if self.secret_file is not None:
            return Secret(self.secret_file.expanduser().absolute())
        kept = self.file.with_name(SECRET)
        if kept.exists():
            instead = f", not from {SECRET_VARIABLE}: delete the file to use that"
            unused = instead if os.environ.get(SECRET_VARIABLE) else ""
            typer.echo(f"the secret is read from {kept}{unused}")
            return Secret(kept)
        given = "" if self.id_typed else os.environ.get(SECRET_VARIABLE, "")
        options = f"--client-secret-file, or set {SECRET_VARIABLE}"
        typed = given or self._asked("Client secret", missing=options, hidden=True)
        return Secret(kept, typed.strip())

    # ---- questions ----------------------------------------------------------------------

    def _chosen(self, kind: str, there: Sequence[Named], given: str, hint: str) -> Named:
        """Return the one that is meant, by name or id, or by its number in the list."""
        if not there:
            raise AppError(f"there is no {kind} that this identity may see", hint=hint)
        if given:
            fitting = [each for each in there if given.lower() in (each.id, each.name.lower())]
            if len(fitting) == 1:
                return fitting[0]
            names = ", ".join(f"{each.name} ({each.id})" for each in (fitting or there)[:20])
            how = "several are called" if fitting else "none is called"
            raise AppError(f"of the {kind}s, {how} {given!r}", hint=f"there are: {names}")
        if len(there) == 1:
            typer.echo(f"{kind}: {there[0].name}")
            return there[0]
        if not self.ask:
            raise AppError(f"it is not said which {kind}", hint=f"add --{kind.lower()} NAME")
        typer.echo(f"Which {kind}?")
        for number, each in enumerate(there, 1):
            typer.echo(f"  {number}  {each.name}  {each.id}")
        return there[_number(len(there)) - 1]

    def _asked(
        self, question: str, default: str = "", *, missing: str = "", hidden: bool = False
    ) -> str:
        if self.ask:
            return str(typer.prompt(question, default=default or None, hide_input=hidden))
        if default:
            return default
        raise AppError(f"nobody can be asked: {question}", hint=f"add {missing}")


def _number(last: int, default: int | None = None) -> int:
    """Ask until a number of the list is typed."""
    while True:
        given = str(typer.prompt("Number", default=default))
        if given.isdecimal() and 1 <= int(given) <= last:
            return int(given)
        typer.echo(f"  {given!r} is not in the list; type a number from 1 to {last}")


def _unreachable(folder: Path) -> str:
    """Return why a folder, as it was typed, cannot be used, and what to do; "" if it can."""
    from ..config.folders import find_unreachable
    from ..config.windows_paths import advice_elsewhere

    if advice := advice_elsewhere(str(folder)):
        return advice
    folder = folder.expanduser().absolute()
    reason = find_unreachable([folder]).get(folder)
    return f"{reason[0]}: {reason[1]}" if reason else ""


def _invite(cloud: Cloud) -> str:
    return f"invite {cloud.login.identity} to your iTwin in the portal, with a role"


def _state_folder(file: Path) -> Path:
    from ..config.load import usual_state_folder

    return usual_state_folder(file, os.environ)
