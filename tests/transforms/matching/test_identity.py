"""Which client a row means: only its ID and its e-mail decide, by the client table and by the other rows of the file."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from include.codes import Code
from include.schemas.feed import Feed
from include.transforms.matching.identity import (
    NO_CLIENTS,
    ignore_read_only,
    judge_mode,
    leave_out_known,
    sound_cells,
    warn_of_read_only,
)
from include.transforms.validation.cells import judge_cells
from include.transforms.validation.cleaning import clean
from include.transforms.validation.problems import problem_rows
from tests.conftest import PARTNERS, PROJECT
from tests.frames import NO_RAGGED, NOW, client_table, reasons, sent_rows, sound_and_keys

ANN, BEN, NEW = (f"{letter * 24}" for letter in "abc")
CLIENTS = client_table(
    **{
        ANN: {"email": "ann@example.com", "project": PARTNERS, "created": datetime(2020, 1, 2, tzinfo=UTC)},
        BEN: {"email": "ben@example.com", "project": PROJECT, "created": datetime(2021, 1, 2, tzinfo=UTC)},
    }
)


def row(**cells: str) -> dict[str, str]:
    return {"id": "", "first_name": "Ann", "email": "", **cells}


def feed(**keys: str) -> Feed:
    return Feed(name="x", title="X", **keys)


def keys_of(*rows: dict[str, str], **keys: str) -> pd.DataFrame:
    return sound_and_keys(sent_rows(*rows), CLIENTS, feed(**keys))[1]


def means(*rows: dict[str, str], **keys: str) -> list[str]:
    return keys_of(*rows, **keys)["means"].tolist()


# One row beside the client table.


def test_a_known_id_means_that_client_whatever_the_email_says():
    keys = keys_of(row(id=ANN, email="new@example.com"), row(id=ANN.upper(), email="ben@example.com"))
    assert keys["means"].tolist() == [ANN, ANN] and not keys["is_new"].any()
    assert keys["holder"].tolist() == ["", BEN]


def test_an_unknown_id_means_a_new_client_with_that_id():
    (key,) = keys_of(row(id=NEW, email="new@example.com")).to_dict("records")
    assert (key["means"], key["has_id"], key["is_new"]) == (NEW, True, True)


def test_without_id_a_known_email_in_any_spelling_means_its_client():
    assert means(row(email="Ann@Example.COM"), row(email=" ben@example.com ")) == [ANN, BEN]


def test_without_id_an_unknown_email_means_a_new_client():
    (key,) = keys_of(row(email="New@example.com")).to_dict("records")
    assert (key["means"], key["identified"], key["is_new"]) == ("", True, True)
    assert (key["email_key"], key["holder"], key["project_now"]) == ("new@example.com", "", "")


def test_what_the_table_says_of_an_existing_client_stands_beside_its_row():
    (known, new) = keys_of(row(id=ANN, email="x@example.com", username="annie"), row(email="new@example.com")).to_dict(
        "records"
    )
    assert (known["project_now"], known["created_now"], known["username"]) == (
        PARTNERS,
        datetime(2020, 1, 2, tzinfo=UTC),
        "annie",
    )
    assert new["project_now"] == "" and pd.isna(new["created_now"])


# Rows with wrong cells.


def test_a_row_with_a_wrong_email_and_a_good_id_is_still_found_by_its_id():
    (key,) = keys_of(row(id=ANN, email="nobody", first_name="")).to_dict("records")
    assert (key["means"], key["identified"], key["email_key"], key["project_now"]) == (ANN, True, "", PARTNERS)


def test_a_row_with_a_wrong_id_means_nobody_even_if_its_email_is_known():
    (key,) = keys_of(row(id="12", email="ann@example.com")).to_dict("records")
    assert (key["means"], key["identified"], key["is_new"]) == ("", False, False)
    assert key["holder"] == ANN


def test_a_row_with_neither_id_nor_usable_email_means_nobody():
    assert keys_of(row(email="nobody"), row(email=""))["identified"].tolist() == [False, False]


def test_wrong_cells_are_blanked_sound_ones_stay_and_rows_that_fit_no_columns_are_left_out():
    sent = sent_rows(
        row(id="12", first_name="=A1", email="Ann@example.com"),
        row(email="ben@example.com"),
        row(email="x@example.com"),
    )
    rows, ragged = clean(sent, {}), pd.Series({3: "The row has 2 cells."}, dtype="str")
    sound = sound_cells(rows, judge_cells(sent, rows, ragged, NOW))
    assert sound[["id", "first_name", "email"]].to_dict("index") == {
        1: {"id": "", "first_name": "", "email": "Ann@example.com"},
        2: {"id": "", "first_name": "Ann", "email": "ben@example.com"},
    }
    assert sound["id_is_wrong"].tolist() == [True, False]


def test_a_wrong_project_or_desk_stays_because_a_blank_one_would_mean_another():
    sent = sent_rows(row(email="x@example.com", desk="#N/A", last_name="#N/A"))
    rows = clean(sent, {})
    sound = sound_cells(rows, judge_cells(sent, rows, NO_RAGGED, NOW))
    assert sound.loc[1, ["desk", "last_name"]].tolist() == ["#N/A", ""]


def test_a_warning_blanks_no_cell():
    sent = sent_rows(row(id=ANN, email="ann@example.com", created="2020-01-01"))
    rows = clean(sent, {})
    warning = warn_of_read_only(sent, *sound_and_keys(sent, CLIENTS))
    assert len(warning) == 1 and sound_cells(rows, warning).at[1, "created"] == "2020-01-01"


# Rows that join the client of another row.


@pytest.mark.parametrize("first", [0, 1])
def test_a_row_without_id_joins_the_client_that_another_row_gives_its_new_email(first):
    rows = [row(id=ANN, email="new@example.com"), row(email="New@example.com")]
    keys = keys_of(rows[first], rows[1 - first])
    assert keys["means"].tolist() == [ANN, ANN] and not keys["is_new"].any()
    # It is judged as that client, not as a new one.
    assert keys["project_now"].tolist() == [PARTNERS, PARTNERS] and keys["created_now"].nunique() == 1


def test_a_row_whose_email_a_client_has_stays_with_that_client():
    assert means(row(id=ANN, email="ben@example.com"), row(email="ben@example.com")) == [ANN, BEN]


def test_rows_with_the_new_id_and_its_email_are_one_new_client():
    keys = keys_of(row(id=NEW, email="new@example.com"), row(email="new@example.com"))
    assert keys["means"].tolist() == [NEW, NEW] and keys["is_new"].all()


def test_a_row_joins_nobody_where_two_clients_are_given_its_email():
    assert means(
        row(id=ANN, email="new@example.com"), row(id=BEN, email="new@example.com"), row(email="new@example.com")
    ) == [ANN, BEN, ""]


def test_a_row_joins_one_client_that_several_rows_give_its_email():
    assert (
        means(row(id=ANN, email="new@example.com"), row(id=ANN, email="new@example.com"), row(email="new@example.com"))
        == [ANN] * 3
    )


def test_a_row_joins_a_row_that_fails_for_another_reason():
    assert means(row(id=ANN, email="new@example.com", first_name=""), row(email="new@example.com")) == [ANN, ANN]


def test_a_row_joins_nobody_by_a_wrong_id_or_a_wrong_email():
    assert means(row(id="12", email="new@example.com"), row(email="new@example.com")) == ["", ""]
    assert means(row(id=ANN, email="nobody"), row(email="nobody")) == [ANN, ""]


def test_an_unknown_id_names_a_client_only_where_the_feed_creates_it():
    rows = row(id=NEW, email="new@example.com"), row(email="new@example.com")
    assert means(*rows, unknown_id="reject") == [NEW, ""]
    both = row(id=NEW, email="new@example.com"), row(id=ANN, email="new@example.com"), row(email="new@example.com")
    assert means(*both, unknown_id="reject") == [NEW, ANN, ANN]


# What a feed lets a row do.


def judged(*rows: dict[str, str], **keys: str) -> list[tuple[int, str, str]]:
    sent = sent_rows(*rows)
    return reasons(judge_mode(sent, sound_and_keys(sent, CLIENTS, feed(**keys))[1], feed(**keys)))


KNOWN, BY_ID, BY_EMAIL = row(email="ann@example.com"), row(id=NEW, email="n@example.com"), row(email="new@example.com")


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ({}, []),
        ({"unknown_id": "reject"}, [(2, "id", "ID_UNKNOWN")]),
        ({"mode": "create_only"}, [(1, "email", "CLIENT_EXISTS")]),
        ({"mode": "update_only"}, [(2, "id", "CLIENT_NOT_FOUND"), (3, "email", "CLIENT_NOT_FOUND")]),
        ({"mode": "update_only", "unknown_id": "reject"}, [(2, "id", "ID_UNKNOWN"), (3, "email", "CLIENT_NOT_FOUND")]),
        ({"mode": "create_only", "unknown_id": "reject"}, [(1, "email", "CLIENT_EXISTS"), (2, "id", "ID_UNKNOWN")]),
    ],
)
def test_a_feed_says_which_rows_may_create_or_update(keys, problems):
    assert judged(KNOWN, BY_ID, BY_EMAIL, **keys) == problems


def test_a_row_of_which_nobody_knows_whom_it_means_is_not_judged_by_the_mode():
    unclear = row(id="12", email="ann@example.com"), row(email="nobody")
    assert judged(*unclear, mode="create_only") == judged(*unclear, mode="update_only", unknown_id="reject") == []


def test_a_row_without_id_that_joins_a_known_client_exists_and_is_found():
    joined = row(id=ANN, email="new@example.com"), row(email="new@example.com")
    assert judged(*joined, mode="update_only") == []
    assert judged(*joined, mode="create_only") == [(1, "email", "CLIENT_EXISTS"), (2, "email", "CLIENT_EXISTS")]


def test_a_file_without_id_column_has_problems_about_its_emails():
    sent = sent_rows({"first_name": "Ann", "email": "new@example.com"})
    problems = judge_mode(sent, sound_and_keys(sent, CLIENTS)[1], feed(mode="update_only"))
    assert problems["message"].tolist() == ["This feed only updates clients, and no client has this e-mail."]


# `created` never changes.


@pytest.mark.parametrize(
    ("created", "warned"),
    [("2020-01-02", []), ("2020-01-02T01:00+01:00", []), ("2020-01-03", [1]), ("", []), ("soon", [])],
)
def test_another_created_than_the_stored_instant_is_a_warning(created, warned):
    sent = sent_rows(row(id=ANN, email="ann@example.com", created=created))
    problems = warn_of_read_only(sent, *sound_and_keys(sent, CLIENTS))
    assert problems["row"].tolist() == warned and set(problems["severity"]) <= {"warning"}


WRONG_CREATED = [
    row(id=ANN, email="ann@example.com", created="soon"),
    row(email="ben@example.com", created="2099-01-01"),
    row(email="new@example.com", created="soon"),
    row(id="12", email="ann@example.com", created="soon"),
]


def test_what_is_wrong_with_created_of_an_existing_client_is_only_a_warning():
    sent = sent_rows(*WRONG_CREATED)
    problems = judge_cells(sent, clean(sent, {}), NO_RAGGED, NOW)
    left = ignore_read_only(sent, problems, sound_and_keys(sent, CLIENTS)[1])
    assert [(*reason, severity) for reason, severity in zip(reasons(left), left["severity"], strict=True)] == [
        (1, "created", "CELL_READ_ONLY", "warning"), (2, "created", "CELL_READ_ONLY", "warning"),
        (3, "created", "CELL_FORMAT", "error"), (4, "id", "CELL_FORMAT", "error"), (4, "created", "CELL_FORMAT", "error"),
    ]  # fmt: skip
    assert left["value"].tolist()[:2] == ["soon", "2099-01-01"]


def test_a_cell_that_has_an_error_is_told_of_no_other():
    found = problem_rows(
        Code.CELL_REFERENCE_NOT_FOUND, "desk", pd.Series({1: "#N/A", 2: "Oslo"}), {"detail": pd.Series(["", ""])}
    )
    error = problem_rows(
        Code.CELL_SPREADSHEET_ERROR, "desk", pd.Series({1: "#N/A"}), {"detail": pd.Series(["work out this cell"])}
    )
    assert leave_out_known(found, error)["row"].tolist() == [2]
    assert leave_out_known(found, error.assign(severity="warning"))["row"].tolist() == [1, 2]


def test_created_of_a_new_client_is_no_warning_and_of_a_row_that_joins_a_known_one_it_is():
    sent = sent_rows(
        row(email="new@example.com", created="2022-01-01"),
        row(id=ANN, email="a@example.com"),
        row(email="a@example.com", created="2022-01-01"),
    )
    assert reasons(warn_of_read_only(sent, *sound_and_keys(sent, CLIENTS))) == [(3, "created", "CELL_READ_ONLY")]


def test_where_there_are_no_clients_every_row_is_new():
    assert sound_and_keys(sent_rows(row(id=ANN, email="ann@example.com"), row(email="x@example.com")), NO_CLIENTS)[1][
        "is_new"
    ].all()
