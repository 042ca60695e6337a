"""Every reason of every row is reported, and each row is judged as the client that it means."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from demo.reference_data import SAMPLES
from include.adapters.database import import_rows
from include.adapters.files.staging import StagingMemory
from include.models import RunRequest
from include.schemas.feed_folder import load_feed
from include.settings import ROOT
from include.steps import import_file as import_file_step
from include.steps.context import ImportContext
from include.steps.import_file import import_file
from include.steps.prepare import decide
from include.steps.receive import receive_copy
from include.steps.validate import validate
from tests.conftest import DESK, LONDON, NIGHT, PARTNERS, PROJECT

ANN, BEN = "a" * 24, "b" * 24


@pytest.fixture
def shared_engine(engine_on_every_server):
    return engine_on_every_server


@pytest.fixture(autouse=True)
def two_clients(bring) -> None:
    """Ann in Partners/London, Ben in the default project."""
    bring(
        "ID,First Name,Email,Username,Project,Desk,Created\n"
        f"{ANN},Ann,ann@example.com,annie,{PARTNERS},{LONDON},2020-01-02\n"
        f"{BEN},Ben,ben@example.com,benny,,,2021-01-02\n"
    )


@pytest.fixture
def report_of(bring):
    """Import a file; gives (row, field, code) of each problem in the order in which it is reported."""
    return lambda text, **keys: [(p.row, p.field, p.code) for p in bring(text, **keys).problems]


# Every reason of one row.


def test_a_blank_name_and_an_unknown_desk_are_reported_together_in_the_order_of_the_columns(report_of):
    assert report_of("Desk,Email,First Name\nOslo,new@example.com,\n") == [
        (1, "desk", "CELL_REFERENCE_NOT_FOUND"), (1, "first_name", "CELL_REQUIRED"),
    ]  # fmt: skip


def test_a_row_with_a_wrong_email_is_looked_up_by_its_id(report_of, bring):
    text = f"ID,First Name,Email,Project,Desk,Created\n{ANN},Ann,nobody,default,{LONDON},2022-01-01\n"
    assert report_of(text, mode="create_only") == [
        (1, "email", "CELL_FORMAT"), (1, "email", "CLIENT_EXISTS"), (1, "desk", "CELL_REFERENCE_NOT_FOUND"),
        (1, "created", "CELL_READ_ONLY"),
    ]  # fmt: skip
    # Another desk of Ann's own project fits.
    assert report_of(f"ID,First Name,Email,Desk\n{ANN},Ann,nobody,{NIGHT}\n") == [(1, "email", "CELL_FORMAT")]


def test_a_row_with_a_wrong_id_is_not_looked_up_and_its_desk_is_judged_by_the_cells_alone(report_of):
    text = "ID,First Name,Email,Project,Desk,Created\n12,Ann,ann@example.com,{},{},2022-01-01\n"
    assert report_of(text.format("", DESK), mode="create_only") == [(1, "id", "CELL_FORMAT")]
    assert report_of(text.format("", "Oslo")) == [(1, "id", "CELL_FORMAT"), (1, "desk", "CELL_REFERENCE_NOT_FOUND")]
    assert report_of(text.format(PARTNERS, DESK)) == [(1, "id", "CELL_FORMAT"), (1, "desk", "CELL_REFERENCE_NOT_FOUND")]


def test_a_taken_username_is_reported_beside_a_blank_name(report_of):
    assert report_of("First Name,Email,Username\n,new@example.com,benny\n") == [
        (1, "first_name", "CELL_REQUIRED"), (1, "username", "USERNAME_TAKEN"),
    ]  # fmt: skip


def test_a_taken_email_is_reported_beside_a_wrong_word(report_of):
    assert report_of(f"ID,First Name,Email,Active\n{ANN},Ann,ben@example.com,maybe\n") == [
        (1, "email", "ID_EMAIL_CONFLICT"), (1, "active", "CELL_FORMAT"),
    ]  # fmt: skip


def test_a_taken_username_in_endless_white_space_is_repeated_with_its_first_1000_characters(bring):
    (problem,) = bring(f"First Name,Email,Username\nZoe,new@example.com,{' ' * 20_000}benny\n").problems
    assert (problem.code, problem.value) == ("USERNAME_TAKEN", " " * 1000)


def test_an_email_that_a_good_row_claims_is_reported_to_a_row_that_fails_anyway(report_of, clients):
    text = f"ID,First Name,Email\n{ANN},,new@example.com\n{BEN},Ben,new@example.com\n"
    assert report_of(text) == [(1, "first_name", "CELL_REQUIRED"), (1, "email", "EMAIL_REPEATED")]
    assert clients()["new@example.com"]["id"] == BEN


def test_an_unknown_id_is_reported_beside_everything_else(report_of):
    text = f"ID,First Name,Email,Desk\n{'c' * 24},,new@example.com,Oslo\n"
    assert report_of(text, unknown_id="reject") == [
        (1, "id", "ID_UNKNOWN"), (1, "first_name", "CELL_REQUIRED"), (1, "desk", "CELL_REFERENCE_NOT_FOUND"),
    ]  # fmt: skip


def test_causes_are_counted_over_all_rows_that_have_them(bring, engine):
    rows = "".join(f"{'' if n % 2 else 'Ann'},new{n}@example.com,Oslo\n" for n in range(10))
    result = bring(f"First Name,Email,Desk\n{rows}")
    causes = {(c.code, c.field): c.rows for c in import_rows.causes(engine, result.import_id)}
    assert causes == {("CELL_REFERENCE_NOT_FOUND", "desk"): 10, ("CELL_REQUIRED", "first_name"): 5}
    assert result.counts.failed == 10


@pytest.mark.parametrize(("feed_name", "knows_london"), [("default", False), ("acme", True)])
def test_the_shipped_samples_london_rows_come_to_london_where_the_feed_knows_the_word(
    engine, storage, clients, feed_name, knows_london
):
    feed = load_feed(ROOT / "include" / "feeds" / f"{feed_name}.yaml")
    problems = import_file(SAMPLES / "partner_feed.csv", feed=feed, engine=engine, storage=storage).problems
    of_finn = [(p.field, p.code, p.value) for p in problems if p.row == 7]
    assert of_finn[-1] == ("active", "CELL_FORMAT", "maybe")
    assert of_finn[:-1] == ([] if knows_london else [("desk", "CELL_REFERENCE_NOT_FOUND", "London")])
    anna = clients().get("anna.null@example.com")
    assert (anna and (anna["project"], anna["desk"])) == ((PARTNERS, LONDON) if knows_london else None)


def test_a_desk_takes_its_client_into_its_project(bring, clients):
    assert bring(f"First Name,Email,Desk\nAnn,ann@example.com,{DESK}\nZoe,zoe@example.com,{NIGHT}\n").problems == ()
    assert (clients()["ann@example.com"]["project"], clients()["ann@example.com"]["desk"]) == (PROJECT, DESK)
    assert (clients()["zoe@example.com"]["project"], clients()["zoe@example.com"]["desk"]) == (PARTNERS, NIGHT)


# A row without ID that joins a client known by another row.


@pytest.mark.parametrize("duplicates", ["keep_last", "keep_first"])
@pytest.mark.parametrize("id_first", [True, False])
def test_a_client_stays_where_it_is_when_a_row_without_id_joins_it(bring, clients, duplicates, id_first):
    rows = [f"{ANN},Ann,ann.new@example.com\n", ",Ann,ann.new@example.com\n"]
    result = bring("ID,First Name,Email\n" + "".join(rows if id_first else reversed(rows)), duplicates=duplicates)
    assert (result.counts.updated, result.counts.duplicate, result.counts.failed) == (1, 1, 0)
    client = clients()["ann.new@example.com"]
    assert (client["id"], client["project"], client["desk"]) == (ANN, PARTNERS, LONDON)
    assert (client["username"], client["created"].year, len(clients())) == ("annie", 2020, 2)


JOINED = f"ID,First Name,Email,Desk,Created\n{ANN},Ann,ann.new@example.com,,\n,Ann,ann.new@example.com,{{}},{{}}\n"


def test_a_desk_of_the_joined_clients_project_fits(bring, clients):
    assert bring(JOINED.format(NIGHT, "")).counts.updated == 1
    client = clients()["ann.new@example.com"]
    assert (client["project"], client["desk"]) == (PARTNERS, NIGHT)


def test_a_desk_of_another_project_moves_the_joined_client(bring, clients):
    assert bring(JOINED.format(DESK, "")).counts.updated == 1
    client = clients()["ann.new@example.com"]
    assert (client["id"], client["project"], client["desk"]) == (ANN, PROJECT, DESK)


def test_the_word_default_means_the_default_desk_of_the_joined_clients_project(bring, clients):
    bring(f"ID,First Name,Email,Desk\n{ANN},Ann,ann@example.com,{NIGHT}\n")
    assert bring(JOINED.format("default", "")).counts.updated == 1
    assert clients()["ann.new@example.com"]["desk"] == LONDON


@pytest.mark.parametrize(
    ("mode", "problems"),
    [
        ("update_only", [(1, "", "DUPLICATE_IN_FILE")]),
        ("create_only", [(1, "email", "CLIENT_EXISTS"), (2, "email", "CLIENT_EXISTS")]),
    ],
)
def test_the_mode_judges_the_joined_row_as_an_existing_client(report_of, mode, problems):
    assert report_of(JOINED.format("", ""), mode=mode) == problems


def test_created_of_the_joined_client_is_never_changed(report_of, clients):
    assert report_of(JOINED.format("", "2023-05-06")) == [
        (1, "", "DUPLICATE_IN_FILE"),
        (2, "created", "CELL_READ_ONLY"),
    ]
    assert clients()["ann.new@example.com"]["created"].year == 2020


# Several rows of one client.


TWICE = "First Name,Last Name,Email,Username\nAnn,Lee,ann54@example.com,annlee\nAnn,,ann54@example.com,\n"


def test_a_thinner_second_row_of_a_person_takes_nothing_away_where_rows_are_combined(bring, clients):
    result = bring(TWICE, duplicates="combine")
    assert (result.counts.created, result.counts.duplicate, result.counts.warnings) == (1, 1, 1)
    assert result.problems[0].message == "Combined with row 2 (line 3), which is the same client."
    client = clients()["ann54@example.com"]
    assert (client["last_name"], client["username"]) == ("Lee", "annlee")


@pytest.mark.parametrize(
    ("duplicates", "sentence"),
    [
        ("keep_last", "Replaced by row 2 (line 3), which is the same client; its Last Name “Lee” and Username “annlee” "
                      "were not used."),
        ("keep_first", "Replaced by row 1 (line 2), which is the same client."),
    ],
)  # fmt: skip
def test_a_replaced_row_says_which_of_its_cells_were_not_used(bring, duplicates, sentence):
    assert [problem.message for problem in bring(TWICE, duplicates=duplicates).problems] == [sentence]


MANY = (
    "First Name,Last Name,Email,Project,Desk,Active,Type,Created\n"
    f"Zoe,Lee,zoe@example.com,,{NIGHT},no,business,2020-01-02\n"
    "Ben,,ben@example.com,,,no,,\n"
    "Zoe,,zoe@example.com,,default,,nonsense,\n"
    f"Zo,,zoe@example.com,{PARTNERS},,,,2021-01-02\n"
    "Benny,#CLEAR,ben@example.com,,,,,\n"
)


def test_defaults_fill_a_new_client_only_where_none_of_its_rows_says_anything(bring, clients):
    bring(f"ID,First Name,Last Name,Email\n{BEN},Ben,Bo,ben@example.com\n")
    defaults = {"project": "default", "active": True, "type": "personal"}
    result = bring(MANY, duplicates="combine", defaults=defaults)
    assert (result.counts.created, result.counts.updated, result.counts.duplicate, result.counts.failed) == (1, 1, 2, 1)
    zoe, ben = clients()["zoe@example.com"], clients()["ben@example.com"]
    assert (zoe["first_name"], zoe["last_name"], zoe["project"], zoe["desk"]) == ("Zo", "Lee", PARTNERS, NIGHT)
    assert (zoe["active"], zoe["type"], zoe["created"].year) == (False, "business", 2020)
    assert (ben["first_name"], ben["last_name"], ben["active"], ben["project"]) == ("Benny", "", False, PROJECT)


def test_a_combined_username_that_another_client_has_fails_the_row_that_stands_and_is_named(bring, clients):
    result = bring("First Name,Email,Username\nZoe,z@example.com,benny\nZoe,z@example.com,\n", duplicates="combine")
    assert [(p.row, p.code, p.severity) for p in result.problems] == [
        (1, "DUPLICATE_IN_FILE", "warning"), (2, "USERNAME_TAKEN", "error"),
    ]  # fmt: skip
    assert "The username “benny” is taken by" in result.problems[1].message and "z@example.com" not in clients()


def test_rows_are_combined_that_change_nothing_together(bring):
    text = f"ID,First Name,Email,Desk\n{BEN},Benny,ben@example.com,{NIGHT}\n{BEN},Ben,ben@example.com,{DESK}\n"
    assert bring(text, duplicates="combine").counts.unchanged == 1


# What is prepared is the same each time.


def test_an_import_that_is_prepared_twice_has_the_same_rows(engine, storage, feed, tmp_path):
    (tmp_path / "x.csv").write_text(
        f"ID,First Name,Email\n{ANN},Ann,new@example.com\n,Zoe,z@example.com\n,Zoe,z@example.org\n,,x\n"
    )
    context = ImportContext(feed, engine, storage, StagingMemory(storage.root))
    entry = receive_copy(context, tmp_path / "x.csv", RunRequest())
    validate(context, entry.id)
    (first,), (second,) = list(decide(context, entry)), list(decide(context, entry))
    assert first.equals(second)
    assert first["username"].dropna().tolist() == ["user.z", "user.z2"] and first["client_id"].nunique() == 3


def test_preparing_writes_nothing_to_the_clients(bring, engine, monkeypatch):
    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_file_step, "merge", dies)
    with pytest.raises(KeyboardInterrupt):
        bring("First Name,Email\nZoe,z@example.com\n")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM clients")) == 2
        assert connection.scalar(sa.text("SELECT state FROM imports ORDER BY received_at DESC LIMIT 1")) == "prepared"
