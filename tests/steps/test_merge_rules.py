"""The merge against the reference model, on random client tables and random files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.database import plan
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.import_file import import_file
from tests.conftest import DESK, LONDON, NIGHT, PARTNERS, PROJECT, empty
from tests.steps.reference_model import COLUMNS, Crm, Row, Rules, run

EXAMPLES = int(os.environ.get("MERGE_EXAMPLES", "40"))
# Few names, so that rows meet: six possible clients, six e-mails, four usernames, three projects, four desks.
IDS = [f"{n:024x}" for n in range(1, 7)]
EMAILS = [f"{letter}@example.com" for letter in "abcdef"]
USERNAMES = ["user-one", "user-two", "user-three", "user-four"]
# A project without a default desk.
BARE, BARE_DESK = "6655aa10caa3558dd8f8da9a", "67a3470d8092c651c919339a"
CRM = Crm(
    {PROJECT: True, PARTNERS: False, BARE: False},
    {DESK: (PROJECT, True), LONDON: (PARTNERS, True), NIGHT: (PARTNERS, False), BARE_DESK: (BARE, False)},
)
TITLES = ("ID", "Email", "Username", "First Name", "Last Name", "Project", "Desk", "Created")
HEADERS = dict(zip(COLUMNS, TITLES, strict=True))

tables = st.lists(
    st.tuples(st.sampled_from(["Ann", "Ben"]), st.sampled_from(["", "Lee"]), st.sampled_from(sorted(CRM.desks))),
    max_size=5,
).flatmap(
    lambda clients: st.tuples(
        st.just(clients), st.permutations(IDS), st.permutations(EMAILS), st.permutations([*USERNAMES, "other", "more"])
    )
)
cells = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "", *IDS, *IDS, "no-id"]),
        "email": st.sampled_from([*EMAILS, *EMAILS, *EMAILS, "", "no-address", "#N/A"]),
        "username": st.sampled_from([*[""] * 6, *USERNAMES, "me"]),
        "first_name": st.sampled_from([*["Ann", "Ben"] * 5, "", "=A1", "#CLEAR"]),
        "last_name": st.sampled_from(["", "Lee", "Lee", "#CLEAR", "#CLEAR", "#N/A"]),
        "project": st.sampled_from([*[""] * 4, "default", PROJECT, PARTNERS, BARE, "London", "#N/A"]),
        "desk": st.sampled_from([*[""] * 5, "default", DESK, LONDON, NIGHT, BARE_DESK, "Madrid", "#N/A", "#CLEAR"]),
        "created": st.sampled_from([*[""] * 3, "2020-01-01", "13/06/2024 15:06", "#N/A"]),
    }
)
# Nearly all of these rows are good, and several mean one client.
cells_of_few_clients = st.fixed_dictionaries(
    {
        "id": st.sampled_from([*[""] * 5, IDS[0]]),
        "email": st.sampled_from([*EMAILS[:2] * 3, EMAILS[2]]),
        "username": st.sampled_from([*[""] * 4, USERNAMES[0], "me"]),
        "first_name": st.sampled_from([*["Ann", "Ben"] * 5, ""]),
        "last_name": st.sampled_from(["", "", "Lee", "#CLEAR"]),
        "project": st.sampled_from([*[""] * 6, "default", PARTNERS, PARTNERS, BARE]),
        "desk": st.sampled_from([*[""] * 4, "default", LONDON, NIGHT, BARE_DESK]),
        "created": st.sampled_from(["", "2020-01-01"]),
    }
)
files = st.lists(cells, max_size=8) | st.lists(cells_of_few_clients, min_size=3, max_size=8)
missing_columns = st.sets(st.sampled_from(sorted(HEADERS)), max_size=4)
# A default desk outside the default project ends the run.
defaults = st.sampled_from(
    [*[("default", "default")] * 2, (PARTNERS, "default"), (PARTNERS, NIGHT), (BARE, "default"), (BARE, BARE_DESK)]
)
written = st.sampled_from(["always", "always", "if_empty", "create_only", "never"])
write = st.fixed_dictionaries({name: written for name in ("email", "username", "first_name", "last_name", "project")})
feeds = st.builds(
    lambda defaults, write, **rules: Rules(
        **rules, default_project=defaults[0], default_desk=defaults[1], write=possible(write, rules["mode"])
    ),
    write=st.just({}) | write,
    defaults=defaults,
    mode=st.sampled_from([*["upsert"] * 5, "create_only", *["update_only"] * 2]),
    unknown_id=st.sampled_from(["create", "create", "reject"]),
    duplicates=st.sampled_from(["keep_last", "keep_first", "reject", "combine", "combine", "combine"]),
)


def possible(write: dict[str, str], mode: str) -> dict[str, str]:
    """A desk goes with its project, and a new client needs a first name and an e-mail."""
    needed = {} if mode == "update_only" else dict.fromkeys(("email", "first_name"), "create_only")
    write = {name: needed.get(name, rule) if rule == "never" else rule for name, rule in write.items()}
    return write | ({"desk": write["project"]} if write else {})


@pytest.fixture
def crm_engine(engine_on_every_server: sa.Engine) -> Iterator[sa.Engine]:
    """A client database with one more project than the samples have."""
    engine = engine_on_every_server
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO projects (id, name) VALUES (:id, 'Bare')"), {"id": BARE})
        connection.execute(
            sa.text("INSERT INTO desks (id, project_id, name) VALUES (:id, :project, 'Bare desk')"),
            {"id": BARE_DESK, "project": BARE},
        )
    yield engine
    empty(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM desks WHERE id = :id"), {"id": BARE_DESK})
        connection.execute(sa.text("DELETE FROM projects WHERE id = :id"), {"id": BARE})


@given(table=tables, file=files, missing=missing_columns, rules=feeds, at_once=st.booleans())
@settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_a_file_does_to_the_clients_what_the_rules_say(crm_engine, tmp_path, table, file, missing, rules, at_once):
    clients, ids, emails, usernames = table
    before = {
        id: {
            "email": email, "username": username, "first_name": first, "last_name": last,
            "project": CRM.desks[desk][0], "desk": desk,
        }
        for (first, last, desk), id, email, username in zip(clients, ids, emails, usernames, strict=False)
    }  # fmt: skip
    columns = [name for name in COLUMNS if name not in missing - required(missing, rules)]
    records = [{name: cells[name] for name in columns} for cells in file]
    rows = [Row(number, cells) for number, cells in enumerate(filter(_has_text, records), 1)]
    expected = run(before, rows, rules, CRM)

    _fill(crm_engine, before)
    feed = Feed(
        name="rules", title="Rules", mode=rules.mode, unknown_id=rules.unknown_id, duplicates=rules.duplicates,
        defaults={"project": rules.default_project, "desk": rules.default_desk}, write=rules.write,
    )  # fmt: skip
    path, storage = _write(tmp_path, columns, rows), Storage(tmp_path / "storage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_IS_GOOD_PART", sa.text(f"SELECT {at_once}"))
        result = import_file(path, feed=feed, engine=crm_engine, storage=storage)

    assert result.state == "merged", result
    outcomes, problems = _outcomes(crm_engine, result.import_id)
    assert {row: set(found) for row, found in problems.items()} == {r.number: r.problems for r in rows if r.problems}
    assert outcomes == {row.number: row.outcome for row in rows}
    order = [*columns, *(name for name in COLUMNS if name not in columns), ""]
    assert all([f for _, f in found] == sorted((f for _, f in found), key=order.index) for found in problems.values())
    assert _comparable(_clients(crm_engine), expected) == _comparable(expected, expected)


def required(missing: set[str], rules: Rules) -> set[str]:
    """The columns without which the file would be refused."""
    if rules.mode != "update_only":
        return {"email", "first_name"}
    return {"email"} if {"id", "email"} <= missing else set()


def _has_text(cells: dict[str, str]) -> bool:
    """A record of blank cells is no record."""
    return any(cells.values())


def _fill(engine: sa.Engine, clients: dict) -> None:
    empty(engine)
    with engine.begin() as connection:
        for id, client in clients.items():
            connection.execute(
                sa.text("""INSERT INTO clients (id, email, email_key, username, first_name, last_name, project, desk)
                VALUES (:id, :email, :email, :username, :first_name, :last_name, :project, :desk)"""),
                {"id": id, **client},
            )


def _write(folder: Path, columns: list[str], rows: list[Row]) -> Path:
    text = io.StringIO()
    lines = [[HEADERS[name] for name in columns], *([row.cells[name] for name in columns] for row in rows)]
    csv.writer(text).writerows(lines)
    path = folder / "file.csv"
    path.write_text(text.getvalue())
    return path


def _outcomes(engine: sa.Engine, import_id: str) -> tuple[dict, dict]:
    with engine.connect() as connection:
        query = sa.text("SELECT row, outcome, problems FROM import_rows WHERE import_id = :id")
        rows = connection.execute(query, {"id": import_id}).all()
    errors = {r.row: [(p["code"], p["field"]) for p in r.problems or () if p["severity"] == "error"] for r in rows}
    return {r.row: r.outcome for r in rows}, {row: problems for row, problems in errors.items() if problems}


def _clients(engine: sa.Engine) -> dict:
    with engine.connect() as connection:
        query = sa.text("SELECT id, email, username, first_name, last_name, project, desk FROM clients")
        return {row.pop("id"): row for row in map(dict, connection.execute(query).mappings())}


def _comparable(clients: dict, expected: dict) -> list:
    """Clients without what the model leaves open: ids of new clients, and usernames that were generated."""
    generated = {client["email"] for client in expected.values() if client["username"] is None}
    return sorted(
        (
            id if id in IDS else "new", c["email"], "any" if c["email"] in generated else c["username"],
            c["first_name"], c["last_name"], c["project"], c["desk"],
        )
        for id, c in clients.items()
    )  # fmt: skip


def test_a_file_that_is_a_good_part_of_the_clients_reads_them_once_and_a_small_one_asks_the_index(shared_engine):
    empty(shared_engine)
    for clients, at_once in ((17, False), (16, True), (0, True)):
        with shared_engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE pg_class SET reltuples = :n WHERE oid = 'clients'::regclass"), {"n": clients}
            )
            assert connection.scalar(plan._IS_GOOD_PART, {"rows": 2}) is at_once
