"""What the project does with the field that CONTRIBUTING.md adds, as assertions. Runs in a copy that has the field.

`python -m tests.new_field DATABASE_URL FOLDER OLDER_IMPORT IMPORT_ON_ITS_WAY...` is called by `test_contributing.py`.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from client_imports_page import wording
from include import migrations
from include.adapters.database import ledger
from include.adapters.database.client_query import ClientQuery, desks_of_all_projects
from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.models import ImportResult, RunRequest, State
from include.schemas.client_tables import metadata
from include.schemas.feed import Feed, Hold
from include.steps.context import ImportContext
from include.steps.contract import write_contract
from include.steps.export_clients import export_clients
from include.steps.import_file import import_file
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.revert import revert
from include.steps.review import approve
from include.steps.validate import validate
from include.transforms.client_templates import template

FEED = Feed(name="default", title="Manual uploads")
HOLDING = Feed(name="holding", title="A feed that holds", hold=Hold(failed_over=0))


def main(url: str, folder: Path, older_import: str, *on_their_way: str) -> None:
    engine, storage = engine_from_url(url), Storage(folder / "storage")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        options = {
            "include_object": lambda _object, _name, kind, *_: kind != "index",
            "include_name": migrations.is_described,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []

    def bring(text: bytes | str, feed: Feed = FEED, **options: bool) -> ImportResult:
        path = folder / "clients.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_file(path, feed=feed, engine=engine, storage=storage, **options)

    def phones() -> dict[str, str]:
        with engine.connect() as connection:
            return dict(connection.execute(sa.text("SELECT first_name, phone FROM clients")).tuples().all())

    _older_imports_are_undone(engine, older_import, phones)
    _imports_on_their_way_are_finished(engine, storage, on_their_way, phones)
    _cells_are_judged_and_reported(bring, storage, phones)
    _changes_are_planned_shown_and_undone(engine, bring, storage, phones)
    _files_for_people_have_it(engine, bring, folder)


def _older_imports_are_undone(engine: sa.Engine, older_import: str, phones: Callable[[], dict[str, str]]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE clients SET phone = '112' WHERE first_name = 'Changed'"))
    undone = revert(engine, older_import, RunRequest("olga"))
    assert (undone.reverted, undone.kept, phones()) == (2, 1, {"Changed": "112", "Before": ""})


def _imports_on_their_way_are_finished(
    engine: sa.Engine, storage: Storage, imports: tuple[str, ...], phones: Callable[[], dict[str, str]]
) -> None:
    """What an older version has staged lacks the field, so the file is read again; a held one is held with the field."""
    context = ImportContext.of(HOLDING, engine, storage)
    for import_id in imports:
        for step in (validate, prepare, merge):
            step(context, import_id)
        shown = ledger.find(engine, import_id).plan_hash or ""
        if approve(context, import_id, shown, "olga").state == State.HELD:
            approve(context, import_id, ledger.find(engine, import_id).plan_hash or "", "olga")
        assert ledger.find(engine, import_id).state == State.MERGED
    assert [phones()[f"After{n}"] for n in range(len(imports))] == [f"{n}000" for n in range(len(imports))]


def _cells_are_judged_and_reported(
    bring: Callable[..., ImportResult], storage: Storage, phones: Callable[[], dict[str, str]]
) -> None:
    rows = "Ann,ann@example.com,+49 30 1234567\nBen,ben@example.com,+1+1\nJo,jo@example.com,\u202a030 123\u202c\n"
    result = bring(f"First Name,Email,Telephone\n{rows}")
    assert (result.counts.created, result.counts.failed, phones()["Ann"]) == (1, 2, "+49 30 1234567")
    codes = [(each.field, each.code) for each in result.problems]
    assert codes == [("phone", "CELL_FORMAT"), ("phone", "CELL_CONTROL_CHARACTER")]
    report = storage.read(result.report or "")
    assert b",'+1+1," in report
    assert bring(report.replace(b"'+1+1", b"'+1 555 0100")).counts.created == 1
    assert phones()["Ben"] == "+1 555 0100"
    kept = bring("Email,Telefon\nann@example.com,110\n", _feed(mode="update_only", write={"phone": "if_empty"}))
    assert (kept.counts.unchanged, phones()["Ann"]) == (1, "+49 30 1234567")


def _changes_are_planned_shown_and_undone(
    engine: sa.Engine, bring: Callable[..., ImportResult], storage: Storage, phones: Callable[[], dict[str, str]]
) -> None:
    change = "First Name,Email,Phone\nAnn,ann@example.com,+49 40 7654321\nBen,ben@example.com,#CLEAR\n"
    planned = storage.read(bring(change, dry_run=True).planned or "").decode()
    assert ",phone,'+49 30 1234567,'+49 40 7654321" in planned
    result = bring(change)
    assert (phones()["Ann"], phones()["Ben"]) == ("+49 40 7654321", "")
    with engine.connect() as connection:
        query = sa.text("SELECT before, after FROM client_changes WHERE import_id = :id ORDER BY row")
        changes = [wording.field_changes(*row) for row in connection.execute(query, {"id": result.import_id})]
    assert changes == [[("Phone", "+49 30 1234567", "+49 40 7654321")], [("Phone", "+1 555 0100", "")]]
    revert(engine, result.import_id or "", RunRequest("olga"))
    assert (phones()["Ann"], phones()["Ben"]) == ("+49 30 1234567", "+1 555 0100")


def _files_for_people_have_it(engine: sa.Engine, bring: Callable[..., ImportResult], folder: Path) -> None:
    exported = b"".join(export_clients(engine, ClientQuery(), desks_of_all_projects(engine), date(2026, 1, 31)))
    assert b",Phone," in exported and b",'+49 30 1234567," in exported
    again = bring(exported)
    assert (again.counts.unchanged, again.counts.failed) == (again.counts.read, 0)
    names, example = csv.reader(io.StringIO(template("clients").decode("utf-8-sig")))
    assert dict(zip(names, example, strict=True))["Phone"] == "+49 30 1234567"
    written = {path.name: path for path in write_contract(_feed(), folder)}
    fields = {field["name"]: field for field in json.loads(written["x.schema.json"].read_text())["fields"]}
    assert "telephone number" in fields["Telefon"]["description"] and fields["Telefon"]["constraints"]["pattern"]
    assert bring(written["x.example.csv"].read_bytes(), _feed(), dry_run=True).counts.failed == 0


def _feed(**keys: object) -> Feed:
    return Feed.of_file(Path("x.yaml"), {"title": "X", "columns": {"Telefon": "phone"}, **keys})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
