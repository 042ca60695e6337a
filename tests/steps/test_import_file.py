"""What a file does to the clients: the rules that people meet first, one sentence each."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from include.steps import merge as merge_step
from tests.conftest import DESK, LONDON, PARTNERS

EXPORT = "ID,First Name,Last Name,Email,Project,Desk,Active,Type,Created\n"
TEMPLATE = "firstName,email,username,middleName,lastName\n"


@pytest.fixture
def shared_engine(engine_on_every_server):
    return engine_on_every_server


def codes(result):
    return sorted(problem.code for problem in result.problems)


def test_new_ids_begin_with_the_time_and_follow_each_other_as_the_rows_do(bring, clients):
    received = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    done = bring("First Name,Email\nZoe,z@example.com\nNo\nAnn,a@example.com\n", clock=lambda: received)
    made = UUID(done.import_id).hex[:10]
    assert {key: client["id"] for key, client in clients().items()} == {
        "z@example.com": f"{int(received.timestamp()):08x}{made}000001",
        "a@example.com": f"{int(received.timestamp()):08x}{made}000003",
    }


@pytest.mark.parametrize("header", [EXPORT, TEMPLATE])
def test_both_published_layouts_work_as_they_are(bring, header):
    cells = {"First Name": "Ann", "firstName": "Ann", "Email": "ann@example.com", "email": "ann@example.com"}
    row = ",".join(cells.get(name, "") for name in header.strip().split(","))
    assert bring(header + row + "\n").counts.created == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_line_ends_are_found_by_looking(bring, end, delimiter):
    text = f"First Name,Email{end}Ann,ann@example.com{end}Ben,ben@example.com{end}".replace(",", delimiter)
    assert bring(text).counts.created == 2


def test_a_blank_cell_keeps_what_the_client_has(bring, clients):
    bring(f"{EXPORT},Ann,Lee,ann@example.com,{PARTNERS},{LONDON},no,business,2020-01-01\n")
    result = bring(f"{EXPORT},Anna,,ann@example.com,,,,,\n")
    client = clients()["ann@example.com"]
    assert result.counts.updated == 1
    assert (client["first_name"], client["last_name"], client["project"], client["desk"]) == (
        "Anna",
        "Lee",
        PARTNERS,
        LONDON,
    )
    assert (client["active"], client["type"], client["created"].year) == (False, "business", 2020)


def test_na_clears_an_optional_text_field(bring, clients):
    bring("First Name,Email,Last Name\nAnn,ann@example.com,Lee\n")
    bring("First Name,Email,Last Name\nAnn,ann@example.com,#N/A\n")
    assert clients()["ann@example.com"]["last_name"] == ""


def test_text_that_looks_like_something_else_stays_text(bring, clients):
    for number, name in enumerate(["NULL", "None", "NaN", "NA", "true", "0012", "1E5", "O'Neil", "-", "+49"]):
        bring(f"First Name,Email\n{name},c{number}@example.com\n")
        assert clients()[f"c{number}@example.com"]["first_name"] == name


def test_an_unchanged_row_writes_nothing_to_the_client(bring, clients):
    bring("First Name,Email\nAnn,ann@example.com\n")
    before = clients()
    result = bring("First Name,Email\n Ann ,ann@example.com \n")
    assert (result.counts.unchanged, clients()) == (1, before)


def test_two_clients_can_swap_their_emails_in_one_file(bring, clients):
    bring("First Name,Email\nAnn,a@example.com\nBen,b@example.com\n")
    ann, ben = (clients()[f"{letter}@example.com"]["id"] for letter in "ab")
    result = bring(f"ID,First Name,Email\n{ann},Ann,b@example.com\n{ben},Ben,a@example.com\n")
    assert result.counts.updated == 2
    assert (clients()["a@example.com"]["id"], clients()["b@example.com"]["id"]) == (ben, ann)


def test_an_email_is_one_client_in_whatever_case_and_idna_form(bring, clients):
    bring("First Name,Email\nAnn,Ann@BÜCHER.example.com\n")
    result = bring("First Name,Email\nAnna,ann@xn--bcher-kva.example.com\n")
    assert result.counts.updated == 1 and len(clients()) == 1


def test_generated_usernames_are_unique_and_the_same_each_time(bring, clients):
    bring("First Name,Email,Username\nAnn,x@example.com,john.doe3\n")
    bring("First Name,Email\nA,john.doe@a.com\nB,john.doe@b.com\nC,john.doe@c.com\nD,j@d.com\n")
    found = [clients()[key]["username"] for key in ("john.doe@a.com", "john.doe@b.com", "john.doe@c.com", "j@d.com")]
    assert found == ["john.doe", "john.doe2", "john.doe4", "user.j"]


def test_a_name_instead_of_an_id_fails_and_the_message_says_the_id(bring):
    result = bring("First Name,Email,Project,Desk\nAnn,a@example.com,Partners,London\n")
    assert codes(result) == ["CELL_REFERENCE_NOT_FOUND"] * 2
    assert PARTNERS in result.problems[0].message and LONDON in result.problems[1].message


def test_a_desk_of_another_project_fails_and_a_moved_client_gets_the_projects_default_desk(bring, clients):
    wrong = bring(f"First Name,Email,Desk\nAnn,a@example.com,{LONDON}\n")
    assert codes(wrong) == ["CELL_REFERENCE_NOT_FOUND"]
    bring("First Name,Email\nAnn,a@example.com\n")
    assert clients()["a@example.com"]["desk"] == DESK
    bring(f"First Name,Email,Project\nAnn,a@example.com,{PARTNERS}\n")
    assert clients()["a@example.com"]["desk"] == LONDON


def test_every_problem_of_a_row_is_reported_with_row_and_line(bring):
    text = 'First Name,Email,Active,Type,Created,ID\n"Ann\nB",ann@example.com,,,,\n,nobody,maybe,x,30/02/2024,12\n'
    result = bring(text)
    assert result.counts.created == 1 and result.counts.failed == 1
    assert codes(result) == ["CELL_FORMAT"] * 4 + ["CELL_NOT_ALLOWED", "CELL_REQUIRED"]
    assert {(problem.row, problem.line) for problem in result.problems} == {(2, 4)}


def test_created_of_an_existing_client_is_a_warning_and_the_rest_of_the_row_is_used(bring, clients):
    bring("First Name,Email,Created\nAnn,ann@example.com,2020-01-01\n")
    result = bring("First Name,Email,Created\nAnna,ann@example.com,2021-01-01\n")
    assert (codes(result), result.counts.updated, result.counts.warnings) == (["CELL_READ_ONLY"], 1, 1)
    assert clients()["ann@example.com"]["created"].year == 2020


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"\n \n", "FILE_EMPTY"),
        (b"First Name,Email\nAnn,\xe4@example.com\n", "FILE_ENCODING"),
        (b"First Name,Email\nAnn,a\x00@example.com\n", "FILE_NOT_CSV"),
        (b"First Name,Mail\nAnn,a@example.com\n", "FILE_MISSING_COLUMN"),
        (b"Ann,ann@example.com\nBen,ben@example.com\n", "FILE_MISSING_COLUMN"),
        (b"First Name,Email,E-mail\nAnn,a@example.com,\n", "FILE_DUPLICATE_COLUMN"),
        (b"First Name,Email,\nAnn,a@example.com,\n", "FILE_DUPLICATE_COLUMN"),
        (b'First Name,Email\n"Ann,a@example.com\nBen,b@example.com\n', "FILE_BROKEN_QUOTING"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole_and_says_why(bring, clients, content, code):
    result = bring(content)
    assert (result.state, result.code) == ("refused", code)
    assert result.message and clients() == {}


@pytest.mark.parametrize(
    "text",
    [
        'First Name,Email,Last Name\nAnn,ann@example.com,"Lee\nBen,ben@example.com,Low"\n',
        'First Name,Email\n"Ann\nBen,ben@example.com",ann@example.com\n',
    ],
)
def test_a_quoted_cell_that_has_swallowed_other_records_refuses_the_file(bring, text):
    refused = bring(text)
    assert (refused.code, refused.line) == ("FILE_BROKEN_QUOTING", 2) and "swallowed" in refused.message


def test_the_first_line_that_excel_writes_for_itself_is_understood_and_counted(bring):
    result = bring("sep=;\nFirst Name;Email\nAnn, A.;nobody\n")
    assert [(problem.code, problem.line) for problem in result.problems] == [("CELL_FORMAT", 3)]


def test_utf_16_with_a_mark_is_read_and_a_wrong_line_is_named(bring):
    assert bring("First Name,Email\nZoë,zoe@example.com\n".encode("utf-16")).counts.created == 1
    refused = bring(b"First Name,Email\nAnn,a@example.com\nB\xff,b@example.com\n")
    assert refused.line == 3 and "FF" in refused.message


def test_5000_records_are_taken_and_5001_refused_however_many_lines_they_have(bring):
    def text(records: int) -> str:
        return "First Name,Email\n" + "".join(f'"Ann\n{n}",a{n}@example.com\n' for n in range(records))

    assert text(5000).count("\n") == 10_001
    assert bring(text(5000)).counts.created == 5000
    refused = bring(text(5001))
    assert refused.code == "FILE_TOO_MANY_RECORDS" and "5,001" in refused.message


def test_a_dry_run_says_what_would_happen_and_writes_no_client(bring, clients):
    bring("First Name,Email\nAnn,ann@example.com\n")
    before = clients()
    result = bring("First Name,Email\nAnna,ann@example.com\nBen,ben@example.com\n", dry_run=True)
    assert (result.state, result.counts.created, result.counts.updated) == ("previewed", 1, 1)
    assert clients() == before


def test_a_header_without_records_succeeds_with_nothing(bring):
    result = bring("First Name,Email\n")
    assert (result.state, result.counts.read) == ("merged", 0)


def test_unknown_columns_warn_and_underscored_ones_do_not(bring):
    result = bring("First Name,Email,Shoe size,_row\nAnn,ann@example.com,42,7\n")
    assert codes(result) == ["COLUMN_UNKNOWN"] and result.counts.created == 1


def test_what_was_created_and_changed_is_kept_field_by_field(bring, engine):
    bring("First Name,Email\nAnn,ann@example.com\n")
    bring("First Name,Email\nAnna,ann@example.com\n")
    with engine.connect() as connection:
        changes = connection.execute(
            sa.text("SELECT before, after FROM client_changes ORDER BY after->>'first_name'")
        ).all()
    assert [(c.before and c.before["first_name"], c.after["first_name"]) for c in changes] == [
        (None, "Ann"),
        ("Ann", "Anna"),
    ]


@pytest.mark.parametrize("moment", ["load_incoming", "plan", "apply_plan"])
def test_clients_that_change_while_their_file_is_merged_are_prepared_again(bring, engine, clients, monkeypatch, moment):
    bring("First Name,Last Name,Email\nAnn,Lee,ann@example.com\n")
    module = merge_step.clients if moment == "load_incoming" else merge_step.plan
    original, done = getattr(module, moment), []

    def the_crm_is_faster(*arguments):
        if not done:
            done.append(True)
            with engine.begin() as crm:
                crm.execute(
                    sa.text("UPDATE clients SET email = 'ben@example.com', email_key = email, last_name = 'Low'")
                )
                crm.execute(sa.text("UPDATE clients SET email_key = email"))
        return original(*arguments)

    monkeypatch.setattr(module, moment, the_crm_is_faster)
    result = bring("First Name,Email\nBen,ben@example.com\nCat,ann@example.com\n")
    assert (result.counts.updated, result.counts.created) == (1, 1)
    names = {key: (client["first_name"], client["last_name"]) for key, client in clients().items()}
    assert names == {"ben@example.com": ("Ben", "Low"), "ann@example.com": ("Cat", "")}


def test_a_row_that_was_a_duplicate_is_judged_again_when_its_client_changes_before_the_merge(
    bring, engine, clients, monkeypatch
):
    ann = "a" * 24
    bring(f"ID,First Name,Email\n{ann},Ann,ann@example.com\n")
    original, done = merge_step.clients.load_incoming, []

    def the_crm_is_faster(*arguments):
        if not done:
            done.append(True)
            with engine.begin() as crm:
                crm.execute(sa.text("UPDATE clients SET email = 'x@example.com', email_key = 'x@example.com'"))
        return original(*arguments)

    monkeypatch.setattr(merge_step.clients, "load_incoming", the_crm_is_faster)
    result = bring(f"ID,First Name,Email\n,Eva,ann@example.com\n{ann},Anna,ann3@example.com\n")
    assert (result.counts.created, result.counts.updated, result.counts.duplicate) == (1, 1, 0)
    assert {key: client["first_name"] for key, client in clients().items()} == {
        "ann@example.com": "Eva",
        "ann3@example.com": "Anna",
    }


def test_a_client_deleted_while_its_file_is_merged_is_created_anew(bring, engine, clients, monkeypatch):
    bring("First Name,Email\nAnn,ann@example.com\n")
    original, done = merge_step.plan.apply_plan, []

    def the_crm_is_faster(*arguments):
        if not done:
            done.append(True)
            with engine.begin() as crm:
                crm.execute(sa.text("DELETE FROM clients"))
        return original(*arguments)

    monkeypatch.setattr(merge_step.plan, "apply_plan", the_crm_is_faster)
    assert bring("First Name,Email\nAnna,ann@example.com\n").counts.created == 1
    assert clients()["ann@example.com"]["first_name"] == "Anna"


def test_a_record_without_an_outcome_stops_the_merge_and_nothing_is_written(bring, engine, clients, monkeypatch):
    from include.errors import OutcomesDoNotAddUp

    monkeypatch.setattr(merge_step.plan, "record_plan", lambda *_: {"created": 1})
    with pytest.raises(OutcomesDoNotAddUp):
        bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n")
    assert clients() == {}
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT state FROM imports")) == "failed"
        assert connection.scalar(sa.text("SELECT count(*) FROM import_rows")) == 0
    assert gc.isenabled()
