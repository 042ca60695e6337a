"""Check or import files without Airflow: the same steps (SPEC.md section 12)."""

from __future__ import annotations

import getpass
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.errors import ClientImportError, FeedInvalid, FileRefused, SettingInvalid
from include.results import OUTCOMES, Counts, ImportResult, Problem
from include.schemas.feed import Feed, feed_files, load_feed
from include.settings import read_settings

ALL_MERGED, SENDERS_FAULT, WRONG_CALL, OUR_FAULT = 0, 1, 2, 3

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True)
Files = Annotated[list[Path], typer.Argument(help="CSV files.", show_default=False)]
FeedName = Annotated[str, typer.Option("--feed", help="The feed whose rules apply.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def check(files: Files, feed: FeedName = "default", as_json: AsJson = False) -> None:
    """Judge files and every cell in them; no database, so projects and desks are not looked up."""
    rules = _feed(feed)
    _finish([_check(path, rules) for path in _existing(files)], rules, as_json)


@app.command("import")
def import_(
    files: Files,
    feed: FeedName = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but the write.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even if the same bytes were imported before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import files into the database of AIRFLOW_CONN_CLIENTS_DB; the files stay where they are."""
    from include.adapters.database import engine_from_url
    from include.adapters.storage import Storage
    from include.steps.import_file import import_file

    rules, settings = _feed(feed), read_settings()
    try:
        engine = engine_from_url(settings.clients_db)
    except SettingInvalid as error:
        _wrong_call(str(error))
    results = []
    for path in _existing(files):
        try:
            results.append(
                import_file(
                    path,
                    feed=rules,
                    engine=engine,
                    storage=Storage(settings.storage),
                    by=getpass.getuser(),
                    force=force,
                    dry_run=dry_run,
                )  # fmt: skip
            )
        except Exception as error:  # noqa: BLE001 - one file's fault must not stop the others; it is shown, and the exit code is 3
            fault = str(error) if isinstance(error, ClientImportError) else f"{type(error).__name__} (our fault)"
            results.append(ImportResult(file=path.name, import_id=None, state="failed", message=fault))
    _finish(results, rules, as_json)


def _check(path: Path, feed: Feed) -> ImportResult:
    from include.steps.corridor import utc_now
    from include.steps.validate import judge_file

    try:
        judged = judge_file(path.name, path, feed, utc_now())
    except FileRefused as refused:
        return ImportResult(path.name, None, "refused", refused.code, refused.message, refused.line)
    lines = judged.rows["line"].to_dict()
    rows = [
        Problem(**{str(name): value for name, value in problem.items()}, line=lines[problem["row"]])
        for problem in judged.problems.to_dict("records")
    ]
    problems = (*(replace(p, row=0) for p in judged.header.problems), *rows)
    failed = len({p.row for p in problems if p.severity == "error"})
    counts = Counts(read=len(lines), failed=failed, warnings=sum(p.severity == "warning" for p in problems))
    return ImportResult(path.name, None, "validated", counts=counts, problems=problems)


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


def _finish(results: Sequence[ImportResult], feed: Feed, as_json: bool) -> NoReturn:
    if as_json:
        for result in results:
            sys.stdout.write(json.dumps(result.as_json(), ensure_ascii=False) + "\n")
    else:
        for result in results:
            _print_problems(result)
        Console(width=max(Console().width, 120)).print(_table(results))
    states = {result.state for result in results}
    if "failed" in states:
        raise typer.Exit(OUR_FAULT)
    limit = feed.hold.failed_over or 0
    fault = any(r.state == "refused" or r.counts.failed > limit * r.counts.read for r in results)
    raise typer.Exit(SENDERS_FAULT if fault else ALL_MERGED)


def _print_problems(result: ImportResult) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if result.message:
        where = f"{result.file}:{result.line or 1}"
        console.print(f"{escape(where)}: [red]{result.code or 'FAILED'}[/red] {escape(result.message)}")
    for problem in result.problems:
        colour = "red" if problem.severity == "error" else "yellow"
        row = f" (row {problem.row})" if problem.row else ""
        text = escape(problem.message)
        console.print(f"{escape(result.file)}:{problem.line}: [{colour}]{problem.code}[/{colour}] {text}{row}")
    causes = Counter((p.code, p.field) for p in result.problems if p.severity == "error")
    for (code, field), number in causes.most_common():
        console.print(f"  {number:>6} x {code}{f' in {field}' if field else ''}", style="dim")


def _table(results: Sequence[ImportResult]) -> Table:
    table = Table("file", "state")
    columns = ("read", *OUTCOMES, "warnings")
    for name in columns:
        table.add_column(name, justify="right")
    for result in results:
        numbers = (f"{getattr(result.counts, name):,}" for name in columns)
        table.add_row(escape(result.file), result.state, *numbers)
    return table


if __name__ == "__main__":
    app()
