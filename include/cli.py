"""Check or import files without Airflow, by the same steps (SPEC.md section 12)."""

from __future__ import annotations

import getpass
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.codes import Code
from include.errors import ClientImportError, FeedInvalid, PersonNotNamed, SettingInvalid
from include.models import OUTCOMES, ImportResult, State, value_map
from include.schemas.feed import Feed, feed_files, load_feed
from include.settings import login_from_environment, read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.adapters.files.storage import Storage

ALL_MERGED, ERROR_IN_FILE, WRONG_CALL, SYSTEM_ERROR = 0, 1, 2, 3

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Files = Annotated[list[Path], typer.Argument(help="CSV files.", show_default=False)]
FeedName = Annotated[str, typer.Option("--feed", help="The feed whose rules apply.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("check")
def check_(files: Files, feed: FeedName = "default", as_json: AsJson = False) -> None:
    """Check files and every cell in them. Without a database, projects and desks are not looked up."""
    from include.steps.check import check
    from include.steps.context import utc_now

    rules = _feed(feed)
    _finish(_each(files, lambda path: check(path, rules, utc_now())), rules, as_json)


@app.command("import")
def import_(
    files: Files,
    feed: FeedName = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but the write.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even if the same bytes were imported before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import files into the database of AIRFLOW_CONN_CLIENTS_DB; the files stay where they are."""
    from include.steps.import_file import import_file

    rules, by = _feed(feed), getpass.getuser()
    engine, storage = _open_resources()
    results = _each(
        files,
        lambda path: import_file(
            path, feed=rules, engine=engine, storage=storage, by=by, force=force, dry_run=dry_run
        ),
    )  # fmt: skip
    _finish(results, rules, as_json)


@app.command("forget")
def forget_(
    email: Annotated[str | None, typer.Option("--email", help="One person, by e-mail address.")] = None,
    client_id: Annotated[str | None, typer.Option("--id", help="One person, by the client's ID.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="All imports older than their feed's retention.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Delete what imports have kept: of one person, or of all imports older than their feed's retention."""
    from include.schemas.feed import read_feeds
    from include.steps.context import utc_now
    from include.steps.erase import erase_person
    from include.steps.forget import forget

    if [email is not None, client_id is not None, expired].count(True) != 1:
        _wrong_call("Name what to forget by one of --email, --id or --expired.")
    engine, storage = _open_resources()
    try:
        feeds = read_feeds(read_settings().feeds)
        if expired:
            done = forget(engine, storage, feeds, utc_now())
        else:
            done = erase_person(engine, storage, feeds, email=email, client_id=client_id)
    except PersonNotNamed as error:
        _wrong_call(str(error))
    except Exception as error:  # noqa: BLE001 - its text may hold what is to be forgotten
        Console(stderr=True).print(f"Not done, or not all of it: {_errors(error)}", style="red", soft_wrap=True)
        raise typer.Exit(SYSTEM_ERROR) from None
    sys.stdout.write((json.dumps(asdict(done)) if as_json else "\n".join(done.sentences())) + "\n")
    raise typer.Exit(ERROR_IN_FILE if not expired and (done.left or done.unread) else ALL_MERGED)


def _open_resources() -> tuple[Engine, Storage]:
    from include.adapters.database.engine import engine_from_url
    from include.adapters.files.location import open_storage

    settings = read_settings()
    try:
        return engine_from_url(settings.clients_db), open_storage(settings.storage, login_from_environment)
    except SettingInvalid as error:
        _wrong_call(str(error))


def _errors(error: Exception) -> str:
    each = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return "; ".join(str(one) if isinstance(one, ClientImportError) else f"{type(one).__name__}" for one in each)


def _each(files: Sequence[Path], do: Callable[[Path], ImportResult]) -> list[tuple[Path, ImportResult]]:
    """Do something to each file. One file's system error never stops the others: it is a result with exit code 3."""
    results = []
    for path in _existing(files):
        try:
            result = do(path)
        except Exception as error:  # noqa: BLE001 - see above
            message = str(error) if isinstance(error, ClientImportError) else f"{type(error).__name__} (system error)"
            result = ImportResult(file=path.name, import_id=None, state=State.FAILED, message=message)
        results.append((path, result))
    return results


def _feed(name: str) -> Feed:
    path = read_settings().feeds / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(p.stem for p in feed_files(path.parent))
        _wrong_call(f"There is no feed {name!r}; known feeds are {known}.")
    try:
        return load_feed(path)
    except FeedInvalid as error:
        _wrong_call(str(error))


def _existing(files: Sequence[Path]) -> Sequence[Path]:
    for path in files:
        if not path.is_file():
            _wrong_call(f"There is no file {str(path)!r}.")
    return files


def _wrong_call(sentence: str) -> NoReturn:
    Console(stderr=True).print(escape(sentence), style="red", soft_wrap=True)
    raise typer.Exit(WRONG_CALL)


def _finish(judged: Sequence[tuple[Path, ImportResult]], feed: Feed, as_json: bool) -> NoReturn:
    results = [result for _, result in judged]
    # A file name may be bytes that are no text.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    if as_json:
        for result in results:
            sys.stdout.write(json.dumps(result.as_json(), ensure_ascii=False) + "\n")
    else:
        console = Console(soft_wrap=True, highlight=False)
        for path, result in judged:
            _print_problems(console, path, result)
        Console(width=max(console.width, 120)).print(_table(results))
    states = {result.state for result in results}
    if State.FAILED in states:
        raise typer.Exit(SYSTEM_ERROR)
    limit = feed.hold.failed_over or 0
    error = any(r.state in (State.REFUSED, State.HELD) or r.counts.failed > limit * r.counts.read for r in results)
    raise typer.Exit(ERROR_IN_FILE if error else ALL_MERGED)


def _print_problems(console: Console, path: Path, result: ImportResult) -> None:
    """Print `file:line: CODE sentence`, as linters do, then how many rows have which cause, and what to do."""
    shown = escape(_printable(str(path)))
    for problem in result.problems:
        colour = "red" if problem.severity == "error" else "yellow"
        row = f" (row {problem.row})" if problem.row else ""
        text = escape(_printable(problem.message))
        console.print(f"{shown}:{problem.line}: [{colour}]{problem.code}[/{colour}] {text}{row}")
    if result.message:
        code = result.code or result.state.upper()
        advice = f" {Code(result.code).advice}" if result.code else ""
        console.print(f"{shown}:{result.line or 1}: [red]{code}[/red] {escape(_printable(result.message))}{advice}")
    for what, where in (("failed rows", result.report), ("planned changes", result.planned)):
        if where:
            console.print(f"{shown}: {what}: {escape(where)}", style="dim")
    _print_causes(console, result)


def _print_causes(console: Console, result: ImportResult) -> None:
    from include.schemas.client_rows import FIELDS

    causes = Counter((p.code, p.field) for p in result.problems if p.severity == "error")
    for (code, field), number in causes.most_common():
        about = f" in {FIELDS[field].label}" if field else ""
        console.print(f"  {number:>6} x {code}{about}: {Code(code).advice}", style="dim")
    for line in dict.fromkeys(value_map(p.field, p.value, p.meant) for p in result.problems if p.meant):
        console.print(f"         or add to `values` in the feed file: {escape(_printable(line))}", style="dim")


def _printable(text: str) -> str:
    """Write control characters out: those of a file name or cell could move the cursor or ring the bell."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _table(results: Sequence[ImportResult]) -> Table:
    table = Table("file", "state")
    columns = ("read", *OUTCOMES, "warnings")
    for name in columns:
        table.add_column(name, justify="right")
    for result in results:
        numbers = (f"{getattr(result.counts, name):,}" for name in columns)
        table.add_row(escape(_printable(result.file)), result.state, *numbers)
    return table


if __name__ == "__main__":
    app()
