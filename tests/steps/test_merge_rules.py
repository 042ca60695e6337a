"""The merge against the reference model, on random client tables and random files."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.database import plan
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.import_file import import_file
from tests.conftest import DESK, PROJECT, empty
from tests.steps.reference_model import Row, run

EXAMPLES = int(os.environ.get("MERGE_EXAMPLES", "1000"))
# Few names, so that rows meet: six possible clients, six e-mails, four usernames.
IDS = [f"{n:024x}" for n in range(1, 7)]
EMAILS = [f"{letter}@example.com" for letter in "abcdef"]
USERNAMES = ["user-one", "user-two", "user-three", "user-four"]

tables = st.lists(st.tuples(st.sampled_from(["Ann", "Ben"]), st.sampled_from(["", "Lee"])), max_size=5).flatmap(
    lambda names: st.tuples(
        st.just(names), st.permutations(IDS), st.permutations(EMAILS), st.permutations([*USERNAMES, "other", "another"])
    )
)
rows = st.lists(
    st.tuples(
        st.sampled_from(["", "", *IDS]), st.sampled_from(EMAILS), st.sampled_from(["", "", "", *USERNAMES]),
        st.sampled_from(["Ann", "Ben"]), st.sampled_from(["", "Lee", "#N/A"]),
    ), max_size=8,
)  # fmt: skip


@given(
    table=tables, file=rows,
    mode=st.sampled_from(["upsert", "upsert", "upsert", "create_only", "update_only"]),
    unknown_id=st.sampled_from(["create", "reject"]),
    duplicates=st.sampled_from(["keep_last", "keep_first", "reject"]),
    at_once=st.booleans(),
)  # fmt: skip
@settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_a_file_does_to_the_clients_what_the_rules_say(
    shared_engine, tmp_path, table, file, mode, unknown_id, duplicates, at_once
):
    names, ids, emails, usernames = table
    before = {
        id: {"email": email, "username": username, "first_name": first, "last_name": last}
        for (first, last), id, email, username in zip(names, ids, emails, usernames, strict=False)
    }
    model_rows = [Row(number, *cells) for number, cells in enumerate(file, 1)]
    expected = run(before, model_rows, mode=mode, unknown_id=unknown_id, duplicates=duplicates)

    _fill(shared_engine, before)
    feed = Feed(name="rules", title="Rules", mode=mode, unknown_id=unknown_id, duplicates=duplicates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_IS_GOOD_PART", sa.text(f"SELECT {at_once}"))
        result = import_file(_write(tmp_path, file), feed=feed, engine=shared_engine, storage=Storage(tmp_path / "s"))

    assert result.state == "merged", result
    outcomes, codes = _outcomes(shared_engine, result.import_id)
    assert outcomes == {row.number: row.outcome for row in model_rows}
    assert codes == {row.number: row.codes for row in model_rows if row.codes}
    assert _comparable(_clients(shared_engine), expected) == _comparable(expected, expected)


def _fill(engine: sa.Engine, clients: dict) -> None:
    empty(engine)
    with engine.begin() as connection:
        for id, client in clients.items():
            connection.execute(
                sa.text("""INSERT INTO clients (id, email, email_key, username, first_name, last_name, project, desk)
                VALUES (:id, :email, :email, :username, :first_name, :last_name, :project, :desk)"""),
                {"id": id, "project": PROJECT, "desk": DESK, **client},
            )


def _write(folder: Path, file: list[tuple]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([("ID", "Email", "Username", "First Name", "Last Name"), *file])
    path = folder / "file.csv"
    path.write_text(text.getvalue())
    return path


def _outcomes(engine: sa.Engine, import_id: str) -> tuple[dict, dict]:
    with engine.connect() as connection:
        query = sa.text("SELECT row, outcome, problems FROM import_rows WHERE import_id = :id")
        found = connection.execute(query, {"id": import_id}).all()
    errors = {r.row: {p["code"] for p in r.problems or () if p["severity"] == "error"} for r in found}
    return {r.row: r.outcome for r in found}, {row: codes for row, codes in errors.items() if codes}


def _clients(engine: sa.Engine) -> dict:
    with engine.connect() as connection:
        query = sa.text("SELECT id, email, username, first_name, last_name FROM clients")
        return {row.pop("id"): row for row in map(dict, connection.execute(query).mappings())}


def _comparable(clients: dict, expected: dict) -> list:
    """Clients without what the model leaves open: ids of new clients, and usernames that were generated."""
    open_usernames = {client["email"] for client in expected.values() if client["username"] is None}
    return sorted(
        (
            id if id in IDS else "new",
            c["email"],
            "any" if c["email"] in open_usernames else c["username"],
            c["first_name"],
            c["last_name"],
        )
        for id, c in clients.items()
    )


def test_a_file_that_is_a_good_part_of_the_clients_reads_them_once_and_a_small_one_asks_the_index(shared_engine):
    empty(shared_engine)
    for clients, at_once in ((17, False), (16, True), (0, True)):
        with shared_engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE pg_class SET reltuples = :n WHERE oid = 'clients'::regclass"), {"n": clients}
            )
            assert connection.scalar(plan._IS_GOOD_PART, {"rows": 2}) is at_once
