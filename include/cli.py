"""Check or import files without Airflow, by the same steps (SPEC.md section 12)."""

from __future__ import annotations

import getpass
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.codes import Code
from include.errors import FeedInvalid, FileRefused, ImportNotFound, PersonNotNamed, SettingInvalid, sentence_of
from include.models import OUTCOMES, ImportResult, Outcome, State, value_map
from include.schemas.feed import Feed
from include.schemas.feed_folder import feed_files, find_feed
from include.settings import login_from_environment, read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.adapters.files.storage import Storage
    from include.transforms.matching.references import ReferenceData

ALL_MERGED, ERROR_IN_FILE, WRONG_CALL, SYSTEM_ERROR = 0, 1, 2, 3

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Files = Annotated[list[Path], typer.Argument(help="CSV files.", show_default=False)]
FeedName = Annotated[str, typer.Option("--feed", help="The feed whose rules apply.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show where in the code a system error happened.")]


@app.command("check")
def check_(files: Files, feed: FeedName = "default", as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Check files and every cell in them. Without a database, projects and desks are not looked up."""
    from include.steps.check import check
    from include.steps.context import utc_now

    rules = _feed(feed)
    _finish(_each(files, lambda path: check(path, rules, utc_now()), verbose), rules, as_json)


@app.command("import")
def import_(
    files: Files,
    feed: FeedName = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but the write.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even if the same bytes were imported before.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
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
        verbose,
    )  # fmt: skip
    _finish(results, rules, as_json)


@app.command("new-feed")
def new_feed_(
    sample: Annotated[Path, typer.Argument(help="A partner's first CSV file.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="The feed's name; else it comes from the file's.")] = "",
) -> None:
    """Write a feed file for a partner's first sample, and check the sample with it."""
    from include.steps.check import check
    from include.steps.context import utc_now
    from include.steps.new_feed import new_feed

    _existing([sample])
    data = _references()
    try:
        rules, doubts = new_feed(sample, read_settings().feeds, name, data)
    except FileRefused as refused:
        _finish([(sample, ImportResult(sample.name, None, State.REFUSED, refused.code, refused.message, refused.line))])
    except FeedInvalid as error:
        _wrong_call(str(error))
    except OSError as error:
        _wrong_call(f"No feed file was written: {sentence_of(error)}.")
    asked = "" if data else "The database was not asked for projects and desks. "
    look = f"Look at {doubts} line{'s' * (doubts != 1)} with a remark" if doubts else "No line needs a look"
    Console(soft_wrap=True).print(escape(f"Wrote {rules.file}. {asked}{look}. The sample, checked with it:"))
    _finish([(sample, check(sample, rules, utc_now()))], rules)


@app.command("contract")
def contract_(
    feed: Annotated[str, typer.Argument(help="The feed's name.", show_default=False)],
    folder: Annotated[Path | None, typer.Option("--folder", help="Where to; else `contracts/FEED`.")] = None,
) -> None:
    """Write what a feed's partner has to send: a page, an example, and files for two standards."""
    from include.steps.contract import write_contract

    rules = _feed(feed)
    try:
        written = write_contract(rules, folder or Path("contracts", feed), _references())
    except UnicodeEncodeError:
        _wrong_call("The contract cannot be written: the feed's `encoding` lacks a letter of its words.")
    except OSError as error:
        _wrong_call(f"The contract cannot be written: {sentence_of(error)}.")
    sys.stdout.writelines(f"{path}\n" for path in written)


@app.command("discard")
def discard_(
    import_id: Annotated[str, typer.Argument(help="The import, as mails and the page name it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")] = "",
) -> None:
    """End an import that is stuck: nothing of it is imported, and its file goes to `refused/`."""
    from include.adapters.database import ledger
    from include.steps.context import ImportContext
    from include.steps.discard import discard

    engine, storage = _open_resources()
    try:
        rules = _feed_of(ledger.find(engine, import_id).feed)
        entry = discard(ImportContext.of(rules, engine, storage), import_id, getpass.getuser(), reason)
    except ImportNotFound as error:
        _wrong_call(str(error))
    sys.stdout.write(f"{entry.state}: {entry.message or entry.state.label}\n")
    raise typer.Exit(ALL_MERGED if entry.state == State.DISCARDED else ERROR_IN_FILE)


@app.command("forget")
def forget_(
    email: Annotated[str | None, typer.Option("--email", help="One person, by e-mail address.")] = None,
    client_id: Annotated[str | None, typer.Option("--id", help="One person, by the client's ID.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="All imports older than their feed's retention.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Delete what imports have kept: of one person, or of all imports older than their feed's retention."""
    from include.schemas.feed_folder import read_feeds
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
        if verbose:
            _show_place(error)
        sentence = escape(_printable(f"Not done, or not all of it: {sentence_of(error)}"))
        Console(stderr=True).print(sentence, style="red", soft_wrap=True)
        raise typer.Exit(SYSTEM_ERROR) from None
    sys.stdout.write((json.dumps(asdict(done)) if as_json else "\n".join(done.sentences())) + "\n")
    raise typer.Exit(ERROR_IN_FILE if not expired and (done.left or done.unread) else ALL_MERGED)


def _references() -> ReferenceData | None:
    """Read the CRM's projects and desks; None where there is no database, or it does not answer."""
    from include.adapters.database.engine import engine_from_url
    from include.steps.check_feed import references_of

    with suppress(SettingInvalid):
        return references_of(engine_from_url(read_settings().clients_db))
    return None


def _open_resources() -> tuple[Engine, Storage]:
    from include.adapters.database.engine import engine_from_url
    from include.adapters.files.location import open_storage

    settings = read_settings()
    try:
        return engine_from_url(settings.clients_db), open_storage(settings.storage, login_from_environment)
    except SettingInvalid as error:
        _wrong_call(str(error))


def _show_place(error: Exception) -> None:
    """Show where an error happened. Its own text stays out: it may quote a cell or a password."""
    for each in error.exceptions if isinstance(error, ExceptionGroup) else [error]:
        sys.stderr.writelines(traceback.format_tb(each.__traceback__))


def _each(files: Sequence[Path], do: Callable[[Path], ImportResult], verbose: bool) -> list[tuple[Path, ImportResult]]:
    """Do something to each file. One file's system error never stops the others: it is a result with exit code 3."""
    results = []
    for path in _existing(files):
        try:
            result = do(path)
        except FeedInvalid as error:
            _wrong_call(str(error))
        except Exception as error:  # noqa: BLE001 - see above
            if verbose:
                _show_place(error)
            result = ImportResult(file=path.name, import_id=None, state=State.FAILED, message=sentence_of(error))
        results.append((path, result))
    return results


def _feed_of(name: str) -> Feed:
    """Give an import's feed; the default feed where its own is gone or broken, since its rules do not matter."""
    with suppress(FeedInvalid, FileNotFoundError):
        return find_feed(read_settings().feeds, name)
    return find_feed(read_settings().feeds, "default")


def _feed(name: str) -> Feed:
    folder = read_settings().feeds
    known = [path.stem for path in feed_files(folder)]
    if name not in known:
        _wrong_call(f"There is no feed {name!r}; known feeds are {', '.join(known)}.")
    from include.steps.check_feed import check_values
    from include.steps.context import utc_now

    try:
        rules = find_feed(folder, name)
        check_values(rules, utc_now())
    except FeedInvalid as error:
        _wrong_call(str(error))
    return rules


def _existing(files: Sequence[Path]) -> Sequence[Path]:
    for path in files:
        if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises for a name that is too long
            _wrong_call(f"There is no file {str(path)!r}.")
    return files


def _wrong_call(sentence: str) -> NoReturn:
    Console(stderr=True).print(escape(sentence), style="red", soft_wrap=True)
    raise typer.Exit(WRONG_CALL)


def _finish(judged: Sequence[tuple[Path, ImportResult]], feed: Feed | None = None, as_json: bool = False) -> NoReturn:
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
    limit = (feed.hold.failed_over if feed else None) or 0
    error = any(r.state in (State.REFUSED, State.HELD) or r.counts.failed > limit * r.counts.read for r in results)
    raise typer.Exit(ERROR_IN_FILE if error else ALL_MERGED)


def _print_problems(console: Console, path: Path, result: ImportResult) -> None:
    """Print `file:line: CODE sentence`, as linters do, then how many rows have which cause, and what to do."""
    shown = escape(_printable(str(path)))
    for problem in result.problems:
        colour = "red" if problem.severity == "error" else "yellow"
        row = f" (row {problem.row})" if problem.row else ""
        text = escape(_printable(problem.message))
        place = f"{shown}:{problem.line}" if problem.line else shown
        console.print(f"{place}: [{colour}]{problem.code}[/{colour}] {text}{row}")
    if result.message:
        is_system_error = result.state == State.FAILED and not result.code
        code = "System error:" if is_system_error else result.code or result.state.upper()
        place = shown if is_system_error else f"{shown}:{result.line or 1}"
        advice = f" {Code(result.code).advice if result.code else result.state.advice}".rstrip()
        colour = "yellow" if result.state == State.SKIPPED else "red"
        console.print(f"{place}: [{colour}]{code}[/{colour}] {escape(_printable(result.message))}{advice}")
    kept = (("import", result.import_id), ("failed rows", result.report), ("planned changes", result.planned))
    for what, where in kept:
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
    lists = any(result.counts.deactivated for result in results)
    columns = ("read", *OUTCOMES, *([Outcome.DEACTIVATED] if lists else ()), "warnings")
    for name in columns:
        table.add_column(name, justify="right")
    for result in results:
        numbers = (f"{getattr(result.counts, name):,}" for name in columns)
        table.add_row(escape(_printable(result.file)), result.state, *numbers)
    return table


if __name__ == "__main__":
    app()
