"""Retention: what goes, what stays, and what a killed process leaves for the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from include.adapters.database import import_rows, ledger, row_weeks, transactions
from include.adapters.files.storage import Storage
from include.models import Counts
from include.steps.forget import forget
from tests.inboxes import all_files

FILE = (
    "ID,First Name,Email,Desk,Marker colour\n"
    "66829b2e43c91e3ce480b6c4,Ann,ann@example.com,,red\n"
    ",Markermann,marker@example,,blue\n"
    ",Ben,ben@example.com,,green\n"
    ",Benno,BEN@example.com,,green\n"
)
NOW = datetime.now(UTC)
# Days count from the end of the week.
LATER = NOW + timedelta(days=366 + 7)


class Died(BaseException):
    """Stands for the end of a killed process: no code of ours handles it."""


def all_texts(engine: sa.Engine, but: tuple[str, ...] = ()) -> str:
    """Give every table that holds personal data as text."""
    with engine.connect() as connection:
        return "\n".join(
            str(row)
            for table in ("clients", "imports", "import_rows", "uploads", "remembered_mappings")
            if table not in but
            for (row,) in connection.execute(sa.text(f"SELECT t::text FROM {table} t"))
        )


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def rows_of(engine: sa.Engine) -> dict[str, int]:
    """Count the rows that are kept of each import."""
    with engine.connect() as connection:
        counts = connection.execute(sa.text("SELECT import_id::text, count(*) FROM import_rows GROUP BY 1"))
        return {import_id: count for import_id, count in counts}


def refuse_to_delete(monkeypatch: pytest.MonkeyPatch, import_id: str) -> None:
    """Let the storage fail with the files of one import."""
    real = Storage.delete_files

    def broken(self: Storage, entry: object) -> int:
        if entry.id == import_id:
            raise PermissionError(13, "no", "archive/ann_example.com--1.csv")
        return real(self, entry)

    monkeypatch.setattr(Storage, "delete_files", broken)


@pytest.fixture
def storage(folder_or_bucket):
    return folder_or_bucket


@pytest.fixture
def feeds(feed):
    return {"default": feed}


@pytest.fixture
def forgotten(engine, storage, feeds):
    row_weeks.turn_over(engine, (), NOW)  # other tests have dropped the weeks of today
    return lambda now=LATER, feeds=feeds: forget(engine, storage, feeds, now)


def test_after_its_days_an_import_keeps_its_counts_and_no_cell(bring, engine, storage, forgotten):
    before = bring(FILE)
    done = forgotten()
    assert (done.imports, done.rows, done.files) == (1, 4, 2)
    assert all_files(storage) == {} and not any((storage.root / "archive" / "default").iterdir())
    texts = all_texts(engine, but=("clients",))
    assert not [word for word in ("marker", "Ann", "ann@", "ben@", "Benno", "colour") if word in texts]
    entry = ledger.find(engine, before.import_id)
    assert entry.counts == before.counts == Counts(4, 2, 0, 0, 1, 1, warnings=2)
    assert entry.state == "merged" and entry.sha256 and entry.forgotten_at == LATER
    assert (entry.file_path, entry.report_path, entry.header, entry.file_problems) == (None, None, [], [])


def test_the_causes_of_failed_rows_stay_by_code_and_field(bring, engine, forgotten):
    import_id = bring(FILE).import_id
    forgotten()
    entry = ledger.find(engine, import_id)
    assert [(c.code, c.field, c.rows, c.message) for c in import_rows.causes_of(engine, entry)] == [
        ("CELL_FORMAT", "email", 1, "Not in the right format"),
    ]  # fmt: skip


def test_the_rows_of_a_week_go_together_once_all_its_imports_are_forgotten(bring, engine, forgotten):
    bring(FILE)
    bring(FILE.replace("Ann", "Eve"))
    table = f"import_rows_{NOW:%Gw%V}"
    assert table in tables(engine)
    forgotten()
    assert table not in tables(engine)
    # The weeks to come have tables by then.
    assert tables(engine) >= {f"import_rows_{LATER + timedelta(weeks=n):%Gw%V}" for n in range(5)}


def test_rows_that_a_week_does_not_take_with_it_are_deleted(bring, engine, feed, forgotten, feeds):
    """Another feed keeps its imports of that week for longer."""
    gone, kept = bring(FILE).import_id, bring(FILE.replace("Ann", "Eve"), name="long").import_id
    longer = {**feeds, "long": feed.model_copy(update={"name": "long", "retention_days": 1000})}
    forgotten(LATER, longer)
    assert rows_of(engine) == {kept: 4} and ledger.find(engine, gone).forgotten_at
    assert f"import_rows_{NOW:%Gw%V}" in tables(engine)


def test_rows_of_the_week_go_though_one_of_its_imports_cannot_be_forgotten(bring, engine, forgotten, monkeypatch):
    """Its file cannot be deleted: the run is red, and the others are forgotten all the same."""
    first, _ = bring(FILE).import_id, bring(FILE.replace("Ann", "Eve"))
    refuse_to_delete(monkeypatch, first)
    with pytest.raises(ExceptionGroup):
        forgotten()
    assert rows_of(engine) == {first: 4}
    monkeypatch.undo()
    forgotten()
    assert rows_of(engine) == {}


def test_rows_of_a_week_that_has_no_table_are_kept_with_the_others_and_deleted(bring, engine, forgotten):
    """The day on which the table should have been made has not come, or its run failed."""
    long_ago = NOW - timedelta(weeks=100)
    bring(FILE, clock=lambda: long_ago)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM import_rows_other")) == 4
    forgotten(long_ago)
    assert f"import_rows_{long_ago:%Gw%V}" not in tables(engine)
    assert f"import_rows_{long_ago + timedelta(weeks=1):%Gw%V}" in tables(engine)
    forgotten(NOW)
    assert rows_of(engine) == {}


def test_a_week_that_others_use_at_the_moment_is_emptied_instead(bring, engine, forgotten, monkeypatch):
    bring(FILE)
    monkeypatch.setattr(transactions, "RETRY_BUDGET_SECONDS", 0)
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT_SECONDS", 0.05)
    with engine.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM import_rows"))
        assert forgotten().rows == 4
        assert rows_of(engine) == {}
    assert f"import_rows_{NOW:%Gw%V}" in tables(engine)


def test_a_refused_file_goes_with_the_words_of_its_refusal(bring, engine, storage, forgotten):
    refused = bring("Markermann,Rome\nBen,Paris\n")
    assert "marker" in refused.message.lower()
    forgotten()
    entry = ledger.find(engine, refused.import_id)
    assert (entry.state, entry.code, entry.message) == (
        "refused", "FILE_MISSING_COLUMN", "A required column is missing",
    )  # fmt: skip
    assert all_files(storage) == {}


def test_the_day_before_nothing_is_forgotten_and_the_second_time_nothing_is_left_to_do(bring, storage, forgotten):
    bring(FILE)
    files = all_files(storage)
    end_of_week = row_weeks.start_of_week(NOW) + timedelta(days=7)
    assert forgotten(end_of_week + timedelta(days=364)).imports == 0 and all_files(storage) == files
    assert forgotten().imports == 1
    assert forgotten() == forgotten(NOW)


def test_each_feed_has_its_own_days_and_a_feed_that_is_gone_has_the_default_ones(bring, engine, feed, feeds, forgotten):
    short = feed.model_copy(update={"name": "short", "retention_days": 30})
    ids = {name: bring(FILE.replace("Ann", name), name=name).import_id for name in ("default", "short", "gone", "torn")}
    torn = {**feeds, "short": short, "torn": None}

    def over(days: int) -> set[str]:
        forgotten(NOW + timedelta(days=days), torn)
        return {name for name, each in ids.items() if ledger.find(engine, each).forgotten_at}

    assert over(29) == set()
    assert over(38) == {"short"}
    assert over(373) == {"short", "default", "gone"}
    assert forgotten(LATER, torn).broken_feeds == ("torn",)


@pytest.mark.parametrize("state", ["received", "validated", "prepared", "held", "failed"])
def test_an_import_that_is_held_or_on_its_way_is_never_forgotten_and_is_named(bring, engine, storage, forgotten, state):
    import_id = bring(FILE).import_id
    ledger.change(engine, import_id, state=state, dag_id="import_clients__default", run_id="run")
    before = all_texts(engine), all_files(storage)
    assert forgotten().left == (import_id,)
    assert (all_texts(engine), all_files(storage)) == before


@pytest.mark.parametrize("state", ["received", "validated", "prepared", "failed"])
def test_an_import_of_a_command_that_died_is_discarded_and_forgotten(bring, engine, storage, forgotten, state):
    import_id = bring(FILE).import_id
    ledger.change(engine, import_id, state=state)
    assert (forgotten().imports, forgotten().left, all_files(storage)) == (1, (), {})
    assert ledger.find(engine, import_id).state == "discarded"


@pytest.mark.parametrize("state", ["discarded", "reverted", "previewed", "skipped"])
def test_every_end_of_an_import_is_an_end(bring, engine, storage, forgotten, state):
    ledger.change(engine, bring(FILE).import_id, state=state)
    assert forgotten().imports == 1 and all_files(storage) == {}


def test_a_process_killed_between_files_and_ledger_leaves_the_import_to_the_next(
    bring, engine, storage, forgotten, monkeypatch
):
    import_id = bring(FILE).import_id

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("include.adapters.database.erasure.forget_import", die)
        with pytest.raises(Died):
            forgotten()
    entry = ledger.find(engine, import_id)
    assert entry.forgotten_at is None and all_files(storage) == {}
    assert forgotten().rows == 4 and ledger.find(engine, import_id).forgotten_at


def test_a_process_killed_before_the_week_is_dropped_leaves_it_to_the_next(bring, engine, forgotten, monkeypatch):
    bring(FILE)

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(row_weeks, "turn_over", die)
        with pytest.raises(Died):
            forgotten()
    assert forgotten().imports == 0 and rows_of(engine) == {}


def test_files_that_the_ledger_never_learned_of_go_too(bring, engine, storage, forgotten):
    import_id = bring(FILE).import_id
    ledger.change(engine, import_id, file_path=None, report_path=None, filed=False)
    leftover = storage.root / "staging" / import_id / "rows.arrow"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"marker")
    assert forgotten().imports == 1 and all_files(storage) == {}
    assert ledger.find(engine, import_id).filed


def test_one_import_that_cannot_be_forgotten_does_not_stop_the_next(bring, engine, storage, forgotten, monkeypatch):
    first, second = bring(FILE), bring(FILE.replace("Ann", "Eve"))
    refuse_to_delete(monkeypatch, first.import_id)
    with pytest.raises(ExceptionGroup, match=r"1 import\(s\)") as raised:
        forgotten()
    assert str(raised.value.exceptions[0]) == "forget failed: Permission denied in archive"
    assert ledger.find(engine, second.import_id).forgotten_at


def test_the_same_bytes_are_still_known_after_they_are_forgotten(bring, forgotten):
    text = "First Name,Email\nAnn,ann@example.com\n"
    bring(text)
    forgotten()
    assert bring(text).code == "FILE_ALREADY_IMPORTED"


def test_the_daily_look_reads_only_what_is_not_forgotten(engine):
    many = (
        "INSERT INTO imports (id, feed, file_name, state, state_times, received_at, forgotten_at) "
        "SELECT gen_random_uuid(), 'a', 'clients.csv', 'merged', '{}', now() - n * interval '1 hour', "
        "CASE WHEN n > 20 THEN now() END FROM generate_series(1, 3000) n"
    )
    with engine.begin() as connection:
        connection.execute(sa.text(many))
        connection.execute(sa.text("ANALYZE imports"))
        plan = connection.execute(
            sa.text("EXPLAIN SELECT id, state FROM imports WHERE forgotten_at IS NULL AND feed = 'a' "
                    "AND received_at < now() ORDER BY received_at")
        )  # fmt: skip
        assert "ix_imports_to_forget" in "\n".join(line for (line,) in plan)
