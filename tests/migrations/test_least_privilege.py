"""Tasks and page work with an account that may only read and write rows; only migrations need the owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from include import migrations
from include.adapters.database import ledger
from include.adapters.database.engine import engine_from_url
from include.models import RunRequest
from include.schemas.feed import Feed, Hold
from include.steps.context import ImportContext
from include.steps.erase import erase_person
from include.steps.forget import forget
from include.steps.import_file import import_file
from include.steps.revert import revert
from include.steps.review import approve


@pytest.fixture
def as_worker(engine, clients_url):
    """An engine whose sessions act as a role that owns nothing."""
    with engine.begin() as connection:
        if not connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'importer'")):
            connection.execute(sa.text("CREATE ROLE importer"))
    migrations.allow_rows(engine, "importer")
    worker = engine_from_url(clients_url)

    @sa.event.listens_for(worker, "connect")
    def become(connection, _record) -> None:
        connection.execute("SET ROLE importer")
        connection.commit()

    yield worker
    worker.dispose()


def test_an_account_that_owns_nothing_imports_holds_approves_undoes_forgets_and_erases(as_worker, storage, tmp_path):
    def bring(text: str, **keys):
        path = tmp_path / "x.csv"
        path.write_text(text)
        return import_file(path, feed=Feed(name="default", title="X", **keys), engine=as_worker, storage=storage)

    first = bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n,nobody\n")
    assert (first.counts.created, first.counts.failed) == (2, 1)
    held = bring("First Name,Email\nAnna,ann@example.com\n", hold=Hold(updated_over=0.1))
    context = ImportContext.of(Feed(name="default", title="X"), as_worker, storage)
    approved = approve(context, held.import_id, ledger.find(as_worker, held.import_id).plan_hash, "olga")
    assert approved.state == "merged"
    undone = revert(as_worker, held.import_id, RunRequest("olga", dag_id="revert_import", run_id="r"))
    assert undone.reverted == 1
    assert erase_person(as_worker, storage, {"default": context.feed}, email="ben@example.com").imports
    later = datetime.now(UTC) + timedelta(days=400)
    assert forget(as_worker, storage, {"default": context.feed}, later).imports == 3


def test_that_account_can_change_no_table(as_worker):
    for statement in ("DROP TABLE clients", "ALTER TABLE clients ADD x int", "TRUNCATE clients", "CREATE TABLE x ()",
                      "UPDATE projects SET name = 'x'"):  # fmt: skip
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied|must be owner"), as_worker.begin() as c:
            c.execute(sa.text(statement))
