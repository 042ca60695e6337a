"""Cells are personal data: no log, no exception and no table of Airflow ever holds one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger, plan
from include.steps import prepare as prepare_step
from tests.airflow_installation import states

# In every cell of every file. IDs and dates can only hold marks of their own kind.
MARKS = ("zzmark", "feedfacefeedface", "1911-03-17")
HEADER = "ID,First Name,Middle Name,Last Name,Email,Username,Project,Desk,Active,Type,Created,Zzmark column"
PEOPLE = f"""{HEADER}
feedfacefeedface00000001,Zzmark-a,Zzmark-b,Zzmark-c,zzmark1@zzmark.example,zzmark-u1,,,,,1911-03-17,zzmark
,Zzmark-d,,,zzmark2@zzmark.example,,,,,,1911-03-17,zzmark
,Zzmark-e,,,zzmark2@zzmark.example,,,,,,1911-03-17,zzmark
,=zzmark(),,,zzmark3@zzmark.example,,,,,,,zzmark
,Zzmark-f,,,zzmark at nowhere,zz,zzmark project,zzmark desk,zzmark,zzmark,zzmark 1911-03-17,zzmark
,Zzmark-g,zzmark
"""
NO_HEADER = "Zzmark-h,Zzmark-i,feedfacefeedface00000002\nZzmark-j,zzmark,1911-03-17\n"
SWALLOWED = f'{HEADER}\n,"Zzmark-k,,,zzmark5@zzmark.example,,,,,,,\n,Zzmark-l,,,zzmark6@zzmark.example,,,,,,,\n'
NO_TEXT = HEADER.encode() + b"\n,Zzmark\xff,,,zzmark7@zzmark.example,,,,,,,\n"
BUG = f"{HEADER}\n,Zzmark-m,,,zzmark8@zzmark.example,,,,,,,\n"


@pytest.fixture
def noted_errors(monkeypatch) -> list[str]:
    """Cause an error in `prepare` that quotes a cell, and two database errors that show a row; gives the ledger's notes."""
    noted: list[str] = []
    typed, apply_plan, enter_state = prepare_step.typed, plan.apply_plan, ledger.enter_state
    bugs, merges = [], []

    def bug(rows):
        bugs.append(len(rows))
        if len(bugs) == 1:
            raise ValueError(f"cannot make sense of {rows['email'].iloc[0]}")
        return typed(rows)

    def database_error(connection, *args):
        merges.append(args)
        if len(merges) == 1:  # "Failing row contains (...)"
            connection.execute(sa.text("ALTER TABLE planned ADD CHECK (first_name = 'nobody')"))
        if len(merges) == 2:  # 'invalid input syntax for type integer: "Zzmark-a"'
            connection.execute(sa.text("SELECT first_name::int FROM planned")).all()
        return apply_plan(connection, *args)

    def note(connection, import_id, state, now, **values):
        noted.extend([values["message"]] if state == "failed" else [])
        enter_state(connection, import_id, state, now, **values)

    monkeypatch.setattr(prepare_step, "typed", bug)
    monkeypatch.setattr(plan, "apply_plan", database_error)
    monkeypatch.setattr(ledger, "enter_state", note)
    return noted


def marks_in(text: str) -> list[str]:
    lower = text.lower()
    return [text[max(0, at - 200) : at + 60] for mark in MARKS if (at := lower.find(mark)) >= 0]


def airflows_tables(url: str) -> dict[str, str]:
    """Every row of every table of Airflow's own database, as text, by table."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        return {
            table: "\n".join(connection.scalars(sa.text(f'SELECT t::text FROM "{table}" t').columns(sa.Text)))
            for table in tables
        }


def test_no_cell_reaches_a_log_an_exception_or_airflows_tables(
    impatient, postgres, ledger, clients, noted_errors, capfd, caplog
):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="sqlalchemy.engine")  # DEBUG is there to show rows
    impatient.drop("default", PEOPLE, "1-people.csv")
    impatient.drop("default", NO_HEADER, "2-no-header.csv")
    impatient.drop("default", SWALLOWED, "3-swallowed.csv")
    (impatient.home / "storage" / "inbox" / "default" / "4-no-text.csv").write_bytes(NO_TEXT)
    impatient.drop("default", BUG, "5-bug.csv")
    run = impatient.run("default", note="checked by hand")

    ended = {line["file_name"]: line["code"] or line["state"] for line in ledger()}
    assert ended == {
        "1-people.csv": "merged", "2-no-header.csv": "FILE_MISSING_COLUMN", "3-swallowed.csv": "FILE_BROKEN_QUOTING",
        "4-no-text.csv": "FILE_ENCODING", "5-bug.csv": "merged",
    }, states(run)  # fmt: skip
    people = ledger()[0]
    assert (people["created"], people["duplicate"], people["failed"]) == (2, 1, 3) and len(clients()) == 3
    kinds = {message.split(",")[0] for message in noted_errors}
    assert kinds == {"prepare failed: ValueError", "merge failed: CheckViolation", "merge failed: InvalidTextRepresentation"}  # fmt: skip

    shown = capfd.readouterr()
    logs = {str(path): path.read_text(errors="replace") for path in Path(impatient.home, "airflow").rglob("*.log")}
    tables = airflows_tables(postgres.url("airflow"))
    places = {
        "stdout": shown.out,
        "stderr": shown.err,
        "records": _all_of(caplog),
        "noted errors": "\n".join(noted_errors),
    }
    assert "validate" in tables["task_instance"] and "5-bug.csv" in tables["xcom"] and "prepare failed" in str(places)
    assert {place: marks for place, text in (places | logs | tables).items() if (marks := marks_in(text))} == {}


def _all_of(caplog: pytest.LogCaptureFixture) -> str:
    """Records with their exceptions, formatted as a handler would."""
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(formatter.format(record) for record in caplog.records)
