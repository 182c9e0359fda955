"""`twinsyncd imodel`: look at localtwin's iModels, their history, and what changed when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AppError

if TYPE_CHECKING:
    import apsw

    from localtwin.imodel.contents import Element
    from localtwin.imodel.plan import Plan

app: Final = typer.Typer(
    help="Look at localtwin's iModels: contents, history, differences, drawings.",
    no_args_is_help=True,
)

IModelArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[IMODEL]",
        help="Its file, its id, or its name in localtwin; may be left out if there is only one.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="localtwin's data folder; else the user's.", show_default=False),
]
VersionOption = Annotated[
    int | None,
    typer.Option(help="As of this version; else the newest.", show_default=False),
]
SourceOption = Annotated[
    str | None, typer.Option(help="Only what this source file contributed.", show_default=False)
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]


@app.command("list")
def list_imodels(data: DataOption = None) -> None:
    """List the iModels of localtwin's data folder."""
    from .imodel_files import listed, readable_errors
    from .imodel_text import table

    with readable_errors():
        from localtwin.imodel.history import versions

        rows = [("iModel", "id", "iTwin", "versions", "newest (UTC)")]
        for each in listed(data):
            history = versions(each.file) if each.file.is_file() else []
            newest = history[-1].written[:19].replace("T", " ") if history else ""
            rows.append((each.name, each.id, each.itwin, str(len(history)), newest))
        _print(table(rows))


@app.command()
def show(
    imodel: IModelArgument = None, version: VersionOption = None, data: DataOption = None
) -> None:
    """Show the history of an iModel, and its elements by source file, model and class."""
    from .imodel_files import imodel_file, named_one, readable_errors
    from .imodel_text import contents_text, versions_text

    with readable_errors():
        from localtwin.imodel.contents import class_counts, relationship_count
        from localtwin.imodel.ec_xml import schema_versions
        from localtwin.imodel.history import versions

        file = imodel_file(named_one(imodel), data)
        _print(versions_text(versions(file)))
        typer.echo("")
        with _opened(file, version) as database:
            _print(contents_text(class_counts(database), relationship_count(database)))
            for name, edition in schema_versions(database):
                typer.echo(f"EC schema {name} {edition}")


@app.command()
def diff(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMODEL] [VERSION]",
            help="The iModel, if there are several; the version, else the newest.",
        ),
    ] = None,
    *,
    limit: Annotated[
        int, typer.Option(help="Show at most so many of each kind of change.", min=0)
    ] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Show what led to a version: element by element, property by property."""
    from .imodel_files import imodel_and_version, imodel_file, readable_errors
    from .imodel_text import difference_json, difference_text

    with readable_errors():
        from localtwin.imodel.database import transaction
        from localtwin.imodel.difference import difference
        from localtwin.imodel.history import at_version, changeset_file
        from localtwin.imodel.history import version as find_version

        imodel, version = imodel_and_version(words or [])
        file = imodel_file(imodel, data)
        wanted = find_version(file, version)
        changeset = changeset_file(file, wanted)
        with at_version(file, wanted.number) as database, transaction(database):
            found = difference(database, changeset, limit=limit)
        if as_json:
            typer.echo(difference_json(wanted, found))
        else:
            _print(difference_text(wanted, found))


@app.command()
def checkout(
    *,
    imodel: IModelArgument = None,
    version: Annotated[int, typer.Argument(help="The version, as `show` lists it.")],
    target: Annotated[Path, typer.Argument(help="The new file.")],
    data: DataOption = None,
) -> None:
    """Write an iModel as of a version to a new file."""
    from .imodel_files import imodel_file, named_one, readable_errors

    with readable_errors():
        from localtwin.imodel.history import checkout as write

        found = write(imodel_file(named_one(imodel), data), version, target)
    typer.echo(f"version {found.number} is in {target}")


@app.command()
def export(
    *,
    imodel: IModelArgument = None,
    target: Annotated[
        Path, typer.Argument(help="The new file: .geojson, .csv, or .xml for the EC schema.")
    ],
    version: VersionOption = None,
    source: SourceOption = None,
    class_name: Annotated[
        str | None, typer.Option("--class", help="Only this class.", show_default=False)
    ] = None,
    schema: Annotated[
        str | None, typer.Option(help="Which EC schema; needed if there are several.")
    ] = None,
    force: ForceOption = False,
    data: DataOption = None,
) -> None:
    """Write elements as GeoJSON or CSV, or an EC schema as XML."""
    from .imodel_files import imodel_file, named_one, new_file, readable_errors

    kind = _kind_of(target, (".geojson", ".json", ".csv", ".xml"))
    with readable_errors():
        from localtwin.imodel.contents import elements
        from localtwin.imodel.export import write_csv, write_geojson

        file = imodel_file(named_one(imodel), data)
        with _opened(file, version) as database, new_file(target, force=force) as draft:
            if kind == ".xml":
                draft.write_bytes(_schema(database, schema))
                typer.echo(f"the EC schema is in {target}")
                return

            named = _source_named(database, source)

            def chosen() -> Iterator[Element]:
                return elements(database, class_name=class_name, source=named)

            # The mark at the beginning is how spreadsheets know that a CSV file is in UTF-8.
            encoding = "utf-8-sig" if kind == ".csv" else "utf-8"
            with draft.open("w", encoding=encoding, newline="") as out:
                written = write_csv(chosen, out) if kind == ".csv" else write_geojson(chosen(), out)
    typer.echo(f"{written:,} elements are in {target}; coordinates are those of the source files")


@app.command()
def draw(
    *,
    imodel: IModelArgument = None,
    target: Annotated[Path, typer.Argument(help="The new file: .svg or .png.")],
    changeset: Annotated[
        int | None,
        typer.Option(
            help="Draw what led to this version: inserted green, updated amber, deleted red.",
            show_default=False,
        ),
    ] = None,
    version: VersionOption = None,
    source: SourceOption = None,
    force: ForceOption = False,
    data: DataOption = None,
) -> None:
    """Draw the plan view of an iModel, or of what a changeset changed."""
    from .imodel_files import imodel_file, named_one, new_file, readable_errors

    kind = _kind_of(target, (".svg", ".png"))
    if changeset is not None and (version is not None or source is not None):
        raise AppError("--changeset goes with neither --version nor --source")
    with readable_errors():
        from localtwin.imodel.pictures import png, svg
        from localtwin.imodel.plan import plan_of_imodel

        named = named_one(imodel)
        file = imodel_file(named, data)
        name = named or file.stem
        if changeset is None:
            with _opened(file, version) as database:
                plan = plan_of_imodel(database, source=_source_named(database, source))
            title = f"{name}, version {version}" if version else name
        else:
            plan, title = _plan_of(file, changeset), f"{name}, changeset {changeset}"
        with new_file(target, force=force) as draft:
            draft.write_bytes(png(plan) if kind == ".png" else svg(plan, title).encode())
    typer.echo(f"the drawing is in {target}")
    if plan.specks:
        apart = ", ".join(plan.specks[:10]) + (", ..." if len(plan.specks) > 10 else "")
        typer.echo(f"its parts lie far apart, so each is small; draw one with --source: {apart}")


def _plan_of(file: Path, number: int) -> Plan:
    from localtwin.imodel.database import transaction
    from localtwin.imodel.history import at_version, changeset_file
    from localtwin.imodel.history import version as find_version
    from localtwin.imodel.plan import ELEMENTS_MAX, plan_of_changeset

    path = changeset_file(file, find_version(file, number))
    with at_version(file, number) as database, transaction(database):
        return plan_of_changeset(database, path, limit=ELEMENTS_MAX, context=ELEMENTS_MAX)


def _source_named(database: apsw.Connection, source: str | None) -> str | None:
    """Return the name of a source file as the iModel has it; a path is looked up by its name."""
    from localtwin.imodel.contents import class_counts

    if source is None:
        return None
    names = sorted({each.source for each in class_counts(database)})
    found = next((each for each in (source, source.rpartition("/")[2]) if each in names), None)
    if found is None:
        some = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise AppError(f"no source file {source} is in this iModel", hint=f"there are: {some}")
    return found


def _schema(database: apsw.Connection, name: str | None) -> bytes:
    from localtwin.imodel.ec_xml import schema_versions, schema_xml

    names = [each for each, _ in schema_versions(database)]
    if not names:
        raise AppError("the iModel has no EC schema of its own yet")
    if name is None and len(names) > 1:
        raise AppError("which schema?", hint=f"name it with --schema: {', '.join(names)}")
    if name is not None and name not in names:
        raise AppError(f"no EC schema {name}", hint=f"there are: {', '.join(names)}")
    return schema_xml(database, name or names[0])


@contextmanager
def _opened(file: Path, version: int | None) -> Iterator[apsw.Connection]:
    """Open the iModel to read; an earlier version as a temporary copy."""
    from localtwin.imodel.database import opened_to_read
    from localtwin.imodel.history import at_version

    with opened_to_read(file) if version is None else at_version(file, version) as database:
        yield database


def _kind_of(target: Path, kinds: tuple[str, ...]) -> str:
    kind = target.suffix.lower()
    if kind not in kinds:
        raise AppError(f"{target} ends in none of {', '.join(kinds)}")
    return kind


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        typer.echo(line)
