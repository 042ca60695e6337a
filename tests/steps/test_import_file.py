"""What a file does to the clients: the rules that people meet first, one sentence each."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from include.codes import Code
from include.schemas.client_rows import FIELDS
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
    made = UUID(done.import_id).hex[-10:]
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


@pytest.mark.parametrize(("keys", "cell"), [({}, "#CLEAR"), ({}, " #clear "), ({"clear_word": "#N/A"}, "#N/A")])
def test_the_feeds_word_clears_an_optional_text_field(bring, clients, keys, cell):
    bring("First Name,Email,Last Name\nAnn,ann@example.com,Lee\nBen,ben@example.com,Low\n")
    result = bring(f"First Name,Email,Last Name\nAnn,ann@example.com,{cell}\nCat,cat@example.com,{cell}\n", **keys)
    assert (result.counts.updated, result.counts.created, result.problems) == (1, 1, ())
    names = {key: client["last_name"] for key, client in clients().items()}
    assert names == {"ann@example.com": "", "ben@example.com": "Low", "cat@example.com": ""}


def test_a_slim_file_changes_what_it_names_and_needs_nothing_else(bring, clients):
    bring("First Name,Last Name,Email\nAnn,Lee,ann@example.com\nBen,Ek,ben@example.com\n")
    ann, ben = (clients()[f"{name}@example.com"] for name in ("ann", "ben"))
    done = bring(f"ID,Desk,Email\n{ann['id']},{LONDON},\n,{LONDON},ben@example.com\n,{LONDON},\n", mode="update_only")
    assert (done.counts.updated, done.counts.failed, codes(done)) == (2, 1, ["CELL_REQUIRED"])
    moved = {"project": PARTNERS, "desk": LONDON}
    for before in (ann, ben):
        after = clients()[before["email"]]
        assert {name: after[name] for name in before if after[name] != before[name]}.keys() - {"updated_at"} == {
            "project", "desk", "last_import_id",
        }  # fmt: skip
        assert {name: after[name] for name in moved} == moved
    renamed = bring(
        f"ID,Email\n{ann['id']},\n{ann['id']},new@example.com\n{ann['id']},\n", mode="update_only", duplicates="combine"
    )
    assert renamed.counts.updated == 1 and set(clients()) == {"new@example.com", "ben@example.com"}


WRITE = {"first_name": "create_only", "last_name": "if_empty", "email": "create_only", "type": "never"}


def test_a_feed_says_what_of_an_existing_client_is_written_and_a_note_names_the_rest(bring, clients):
    header = "ID,First Name,Last Name,Email,Type\n"
    bring(f"{header},Ann,,ann@example.com,business\n,Ben,Ek,ben@example.com,\n")
    ann, ben = (clients()[f"{name}@example.com"]["id"] for name in ("ann", "ben"))
    text = f"{header}{ann},Anna,Lee,new@example.com,personal\n{ben},Ben,Oak,BEN@example.com,\n,Cat,,cat@example.com,business\n"
    done = bring(text, write=WRITE)
    assert (done.counts.created, done.counts.updated, done.counts.unchanged, done.counts.warnings) == (1, 1, 1, 0)
    assert {key: (c["first_name"], c["last_name"], c["type"]) for key, c in clients().items()} == {
        "ann@example.com": ("Ann", "Lee", "business"), "ben@example.com": ("Ben", "Ek", "personal"),
        "cat@example.com": ("Cat", "", "personal"),
    }  # fmt: skip
    assert [(problem.row, problem.severity, problem.message) for problem in done.problems] == [
        (1, "note", "First name “Anna” was not written: only a new client gets it."),
        (1, "note", "E-mail “new@example.com” was not written: only a new client gets it."),
        (1, "note", "Type “personal” was not written: this feed never writes it."),
        (2, "note", "Last name “Oak” was not written: the client has one."),
    ]


def test_an_email_that_is_not_written_is_claimed_by_nobody(bring, clients):
    bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n")
    ann = clients()["ann@example.com"]["id"]
    text = f"ID,First Name,Email\n{ann},Ann,ben@example.com\n,Bea,ben@example.com\n"
    assert bring(text, dry_run=True).counts.failed == 2
    done = bring(text, write={"email": "create_only"})
    assert (done.counts.failed, done.counts.unchanged, done.counts.updated) == (0, 1, 1)
    assert {key: client["first_name"] for key, client in clients().items()} == {
        "ann@example.com": "Ann", "ben@example.com": "Bea",
    }  # fmt: skip


def test_the_word_that_clears_is_never_a_name_and_fails_where_nothing_can_be_cleared(bring, clients):
    result = bring("First Name,Email,Type\n#CLEAR,a@example.com,\nBen,#CLEAR,\nCat,c@example.com,#clear\n")
    assert codes(result) == ["CELL_NOT_CLEARABLE"] * 3 and clients() == {}
    *others, last = [field.label for field in FIELDS.values() if field.clearable]
    assert result.problems[2].message == f"Type cannot be cleared; only {', '.join(others)} and {last} can."


def test_an_error_of_a_spreadsheet_becomes_no_name_and_clears_none(bring, clients):
    bring("First Name,Last Name,Email\nDi,Gomez,di@example.com\nEd,Hobbs,ed@example.com\n")
    result = bring("First Name,Last Name,Email\nDi,#N/A,di@example.com\n#NAME?,Ho,ed@example.com\nBo,#BEZUG!,bo@example.com\n"
                   "Cy,Go,#VALEUR!\nEd,Hobbs,ed@example.com\n")  # fmt: skip
    assert [(p.row, p.field, p.code) for p in result.problems] == [
        (1, "last_name", "CELL_SPREADSHEET_ERROR"), (2, "first_name", "CELL_SPREADSHEET_ERROR"),
        (3, "last_name", "CELL_SPREADSHEET_ERROR"), (4, "email", "CELL_SPREADSHEET_ERROR"),
    ]  # fmt: skip
    assert result.problems[0].message == "Last name “#N/A”: the spreadsheet could not work out this cell."
    assert {client["last_name"] for client in clients().values()} == {"Gomez", "Hobbs"}


def test_an_error_of_a_spreadsheet_is_all_that_is_said_of_a_project_or_a_desk(bring):
    rows = f"Ann,a@example.com,#N/A,{LONDON}\nBen,b@example.com,{PARTNERS},#REF!\nCat,c@example.com,,#REF!\n"
    assert [(p.row, p.field, p.code) for p in bring(f"First Name,Email,Project,Desk\n{rows}").problems] == [
        (1, "project", "CELL_SPREADSHEET_ERROR"), (2, "desk", "CELL_SPREADSHEET_ERROR"),
        (3, "desk", "CELL_SPREADSHEET_ERROR"),
    ]  # fmt: skip


def test_an_error_of_a_spreadsheet_in_an_ignored_column_is_ignored_and_a_feed_can_say_what_it_means(bring, clients):
    text = "First Name,Email,Last Name,Shoe size\nAnn,ann@example.com,#N/A,#N/A\n"
    result = bring(text, values={"last_name": {"#n/a": ""}})
    assert codes(result) == ["COLUMN_UNKNOWN"] and clients()["ann@example.com"]["last_name"] == ""


def test_a_name_of_which_nothing_can_be_seen_overwrites_no_name(bring, clients):
    bring("First Name,Email,Last Name\nAnn,ann@example.com,Lee\n")
    result = bring("First Name,Email,Last Name\nAnn,ann@example.com,\u200b\n")
    assert result.counts.unchanged == 1 and clients()["ann@example.com"]["last_name"] == "Lee"


def test_a_damaged_name_is_imported_as_it_is_with_a_warning(bring, clients):
    result = bring("First Name,Email,Last Name\nJosÃ©,j@example.com,“Lee”\nZoë,z@example.com,O’Neil\n")
    assert codes(result) == ["CELL_LOOKS_DAMAGED"] * 2 and result.counts.created == 2
    assert (result.counts.warnings, result.counts.failed) == (2, 0)
    client = clients()["j@example.com"]
    assert (client["first_name"], client["last_name"]) == ("JosÃ©", "“Lee”")


def test_words_are_mapped_whatever_their_case_and_the_advice_says_that_a_feed_can_do_so(bring, clients):
    text = "First Name,Email,Active,Type,Desk\nAnn,a@example.com,WAHR,Privat,madrid\nBo,b@example.com, wahr ,privat ,\n"
    unmapped = bring(text)
    assert sorted({p.code for p in unmapped.problems}) == [
        "CELL_FORMAT",
        "CELL_NOT_ALLOWED",
        "CELL_REFERENCE_NOT_FOUND",
    ]
    assert all("(key `values`)" in Code(p.code).advice for p in unmapped.problems)
    assert any("No desk is called “madrid”." in p.message for p in unmapped.problems)
    words = {"active": {"Wahr": "true"}, "type": {"PRIVAT": "personal"}, "desk": {"Madrid": DESK}}
    assert bring(text, values=words).counts.created == 2


def test_an_address_is_judged_as_it_was_sent_and_html_code_fails(bring):
    rows = "Ann,a<\u0338b@example.com\nBen,mailto:b@example.com\nO&#39;Neil,c@example.com\nA&amp;B,d@example.com\nAT&T,e@example.com\n"
    result = bring(f"First Name,Email\n{rows}")
    assert [(p.row, p.code) for p in result.problems] == [
        (1, "CELL_FORMAT"), (2, "CELL_FORMAT"), (3, "CELL_EXECUTABLE"), (4, "CELL_EXECUTABLE"),
    ]  # fmt: skip
    assert result.problems[1].message.endswith("remove “mailto:”.")
    assert result.problems[2].message == "First name “O&#39;Neil” is written as HTML code."


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


def test_a_desk_of_another_project_than_the_given_one_fails_and_a_moved_client_gets_the_projects_default_desk(
    bring, clients
):
    wrong = bring(f"First Name,Email,Project,Desk\nAnn,a@example.com,default,{LONDON}\n")
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


@pytest.mark.parametrize("created", ["13/06/2024 15:06", "2099-01-01", "#N/A", "########", "#CLEAR"])
def test_whatever_a_spreadsheet_has_made_of_created_of_an_existing_client_is_a_warning(bring, clients, created):
    bring("First Name,Email,Created\nAnn,ann@example.com,2024-06-13T15:06:02.802Z\n")
    result = bring(f"First Name,Email,Created\nAnna,ann@example.com,{created}\nBen,ben@example.com,{created}\n")
    severities = [(problem.row, problem.code, problem.severity) for problem in result.problems]
    assert severities[0] == (1, "CELL_READ_ONLY", "warning") and [s[::2] for s in severities[1:]] == [(2, "error")]
    assert (result.counts.updated, result.counts.failed) == (1, 1)
    assert clients()["ann@example.com"]["first_name"] == "Anna"


def test_a_feed_names_the_form_of_its_dates(bring, clients):
    text = "First Name,Email,Created\nAnn,ann@example.com,13/06/2024 15:06\nBen,ben@example.com,2024-07-01\nCat,cat@example.com,01/13/2024 10:00\n"
    failed = bring(text).problems[0].message
    assert "the feed file can name another form (key `date_format`)" in failed
    result = bring(text, date_format="%d/%m/%Y %H:%M")
    assert [(problem.row, problem.code) for problem in result.problems] == [(3, "CELL_FORMAT")]
    created = {key: client["created"] for key, client in clients().items()}
    assert created["ann@example.com"] == datetime(2024, 6, 13, 15, 6, tzinfo=UTC)
    assert created["ben@example.com"] == datetime(2024, 7, 1, tzinfo=UTC)
    # The same instant in the feed's form is no other value.
    assert bring(text, date_format="%d/%m/%Y %H:%M", force=True).problems[0].row == 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"\n \n", "FILE_EMPTY"),
        (b"First Name,Email\nAnn,\xe4@example.com\n", "FILE_ENCODING"),
        (b"First Name,Email\nAnn,a\x00@example.com\n", "FILE_NOT_CSV"),
        (b"First Name,Contact\nAnn,a@example.com\n", "FILE_MISSING_COLUMN"),
        (b"Ann,ann@example.com\nBen,ben@example.com\n", "FILE_MISSING_COLUMN"),
        (b"First Name,Email,E-mail\nAnn,a@example.com,b@example.com\n", "FILE_DUPLICATE_COLUMN"),
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
    assert refused.line == 3 and "it is “ÿ”" in refused.message


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


@pytest.fixture
def the_crm_is_faster(engine, monkeypatch):
    """Let the CRM run statements once, just before a step of the merge: load_incoming, plan or apply_plan."""

    def _before(moment: str, *statements: str) -> None:
        module = merge_step.clients if moment == "load_incoming" else merge_step.plan
        original, done = getattr(module, moment), []

        def later(*arguments):
            if not done:
                done.append(True)
                with engine.begin() as crm:
                    for statement in statements:
                        crm.execute(sa.text(statement))
            return original(*arguments)

        monkeypatch.setattr(module, moment, later)

    return _before


@pytest.mark.parametrize("moment", ["load_incoming", "plan", "apply_plan"])
def test_clients_that_change_while_their_file_is_merged_are_prepared_again(bring, clients, the_crm_is_faster, moment):
    bring("First Name,Last Name,Email\nAnn,Lee,ann@example.com\n")
    changed = "UPDATE clients SET email = 'ben@example.com', email_key = email, last_name = 'Low'"
    the_crm_is_faster(moment, changed, "UPDATE clients SET email_key = email")
    result = bring("First Name,Email\nBen,ben@example.com\nCat,ann@example.com\n")
    assert (result.counts.updated, result.counts.created) == (1, 1)
    names = {key: (client["first_name"], client["last_name"]) for key, client in clients().items()}
    assert names == {"ben@example.com": ("Ben", "Low"), "ann@example.com": ("Cat", "")}


def test_a_row_that_was_a_duplicate_is_judged_again_when_its_client_changes_before_the_merge(
    bring, clients, the_crm_is_faster
):
    ann = "a" * 24
    bring(f"ID,First Name,Email\n{ann},Ann,ann@example.com\n")
    the_crm_is_faster("load_incoming", "UPDATE clients SET email = 'x@example.com', email_key = 'x@example.com'")
    result = bring(f"ID,First Name,Email\n,Eva,ann@example.com\n{ann},Anna,ann3@example.com\n")
    assert (result.counts.created, result.counts.updated, result.counts.duplicate) == (1, 1, 0)
    assert {key: client["first_name"] for key, client in clients().items()} == {
        "ann@example.com": "Eva",
        "ann3@example.com": "Anna",
    }


def test_a_client_deleted_while_its_file_is_merged_is_created_anew(bring, clients, the_crm_is_faster):
    bring("First Name,Email\nAnn,ann@example.com\n")
    the_crm_is_faster("apply_plan", "DELETE FROM clients")
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


@pytest.mark.parametrize("lines", [{"skip_first_lines": 1}, {"skip_last_lines": 1},
                                   {"skip_first_lines": 2, "skip_last_lines": 1}])  # fmt: skip
@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""], ids=["as written", "saved without a mark"])
def test_a_corrected_report_loses_no_row_where_the_feeds_files_have_lines_around_the_table(
    bring, storage, clients, lines, mark
):
    above, below = "List of clients\n" * lines.get("skip_first_lines", 0), "End\n" * lines.get("skip_last_lines", 0)
    first = bring(f"{above}First Name;Email\nAnn;ann@example.com\n;ben@example.com\n;cat@example.com\n{below}", **lines)
    assert (first.counts.created, first.counts.failed) == (1, 2)
    report = (storage.root / first.report).read_bytes().removeprefix(b"\xef\xbb\xbf")
    untouched = bring(mark + report, **lines)
    assert (untouched.counts.read, untouched.counts.failed) == (2, 2)
    corrected = bring(mark + report.replace(b"\n;ben", b"\nBen;ben").replace(b"\n;cat", b"\nCat;cat"), **lines)
    assert (corrected.counts.read, corrected.counts.created) == (2, 2) and len(clients()) == 3


def test_an_export_that_is_edited_loses_no_row_where_the_feeds_files_have_a_footer(bring, clients):
    edited = "First Name,Email,_export\nAnn,ann@example.com,1\nBen,ben@example.com,1\n"
    assert bring(edited, skip_first_lines=2, skip_last_lines=1).counts.created == 2
