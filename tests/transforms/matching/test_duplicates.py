"""Rows of one file that are the same client leave one winner, and nothing is claimed by two clients."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.schemas.feed import Feed
from include.transforms.matching.duplicates import Resolution, resolve_duplicates, with_earlier
from include.transforms.matching.identity import join_clients, keys_to_look_up, match
from include.transforms.validation.cleaning import clean
from tests.frames import client_table, reasons, sent_rows, sound_and_keys

ANN, BEN, CAT = (f"{letter * 24}" for letter in "abc")
CLIENTS = client_table(**{ANN: {"email": "ann@example.com"}, BEN: {"email": "ben@example.com"}})


def row(id: str = "", email: str = "", username: str = "", first_name: str = "x") -> dict[str, str]:
    return {"id": id, "first_name": first_name, "email": email, "username": username}


def resolve(*rows: dict[str, str], policy: str = "keep_last", failed: tuple[int, ...] = ()) -> Resolution:
    keys = sound_and_keys(sent_rows(*rows), CLIENTS)[1]
    return resolve_duplicates(keys, pd.Series(~keys.index.isin(failed), index=keys.index), policy)


def problems_of(*rows: dict[str, str], **how: object) -> list[tuple[int, str, str]]:
    return reasons(resolve(*rows, **how).problems(sent_rows(*rows)))


SAME = (
    row(email="new@example.com"),
    row(email="other@example.com"),
    row(email="New@example.com"),
    row(email="new@example.com"),
)


@pytest.mark.parametrize(("policy", "kept", "replaced"), [("keep_last", 4, {1, 3}), ("keep_first", 1, {3, 4})])
def test_one_row_of_each_client_wins_and_the_others_name_it(policy, kept, replaced):
    resolution = resolve(*SAME, policy=policy)
    assert resolution.winners.tolist() == sorted([kept, 2]) and set(resolution.replaced.index) == replaced
    problems = resolution.problems(sent_rows(*SAME))
    sentence = f"Replaced by row {kept} (line {kept + 1}), which is the same client."
    assert set(resolution.replaced) == {kept} and set(problems["message"]) == {sentence}
    assert set(problems["code"]) == {"DUPLICATE_IN_FILE"} and set(problems["severity"]) == {"warning"}


def test_reject_fails_all_rows_of_a_client_and_each_names_the_others():
    resolution = resolve(*SAME, policy="reject")
    assert resolution.winners.tolist() == [2] and resolution.replaced.empty
    assert resolution.rejected.to_dict() == {
        1: "Rows 3, 4 of this file mean the same client.", 3: "Rows 1, 4 of this file mean the same client.",
        4: "Rows 1, 3 of this file mean the same client.",
    }  # fmt: skip
    two = resolve(*SAME[:3], policy="reject")
    assert two.rejected.to_dict()[1] == "Row 3 of this file means the same client."
    assert set(two.problems(sent_rows(*SAME[:3]))["severity"]) == {"error"}


def test_many_duplicates_are_named_by_the_first_five():
    assert resolve(*[row(email="new@example.com")] * 20, policy="reject").rejected[1] == (
        "Rows 2, 3, 4, 5, 6 and 14 more of this file mean the same client."
    )


def test_five_other_duplicates_are_named_without_more():
    rejected = resolve(*[row(email="new@example.com")] * 6, policy="reject").rejected
    assert rejected[1] == "Rows 2, 3, 4, 5, 6 of this file mean the same client."


def test_rows_with_one_id_are_one_client_whatever_their_emails():
    assert resolve(row(ANN, "a@example.com"), row(ANN, "b@example.com")).winners.tolist() == [2]


def test_a_row_without_id_and_the_row_with_the_id_are_one_client():
    rows = row(ANN, "new@example.com"), row(email="new@example.com")
    assert resolve(*rows).winners.tolist() == [2] and resolve(*rows, policy="keep_first").winners.tolist() == [1]


def test_a_failed_row_replaces_no_other_and_is_no_duplicate():
    rows = row(email="new@example.com"), row(email="new@example.com"), row(email="new@example.com", first_name="")
    resolution = resolve(*rows, failed=(3,))
    assert (resolution.winners.tolist(), list(resolution.replaced.index)) == ([2], [1])


@pytest.mark.parametrize("policy", ["keep_last", "keep_first", "reject"])
def test_an_email_that_rows_with_different_ids_claim_fails_them_all(policy):
    rows = row(ANN, "x@example.com"), row(BEN, "X@example.com"), row(CAT, "x@example.com"), row(email="y@example.com")
    assert resolve(*rows, policy=policy).winners.tolist() == [4]
    assert problems_of(*rows, policy=policy) == [(n, "email", "EMAIL_REPEATED") for n in (1, 2, 3)]
    assert resolve(*rows, policy=policy).repeated_emails[2] == "rows 1, 3"


def test_a_replaced_row_claims_nothing():
    rows = row(ANN, "x@example.com"), row(BEN, "x@example.com"), row(ANN, "a@example.com")
    assert resolve(*rows).winners.tolist() == [2, 3] and problems_of(*rows) == [(1, "", "DUPLICATE_IN_FILE")]


def test_a_username_that_two_clients_of_the_file_claim_fails_them_both():
    rows = row(ANN, "a@example.com", "same"), row(BEN, "b@example.com", "same"), row(CAT, "c@example.com", "Same")
    resolution = resolve(*rows)
    assert resolution.winners.tolist() == [3] and problems_of(*rows) == [
        (1, "username", "USERNAME_TAKEN"),
        (2, "username", "USERNAME_TAKEN"),
    ]
    assert (
        resolution.problems(sent_rows(*rows))["message"].tolist()[0]
        == "The username “same” is taken by row 2 of this file."
    )


def test_a_row_that_fails_anyway_learns_of_the_repeated_email_and_hurts_no_other_row():
    rows = row(ANN, "x@example.com", first_name=""), row(BEN, "x@example.com")
    assert resolve(*rows, failed=(1,)).winners.tolist() == [2]
    assert problems_of(*rows, failed=(1,)) == [(1, "email", "EMAIL_REPEATED")]


def test_a_row_that_fails_anyway_is_not_blamed_for_its_own_clients_row():
    rows = row(ANN, "x@example.com", first_name=""), row(ANN, "x@example.com")
    assert problems_of(*rows, failed=(1,)) == []


def test_two_rows_that_fail_anyway_are_not_blamed_for_each_other():
    rows = row(ANN, "x@example.com", first_name=""), row(BEN, "x@example.com", first_name="")
    assert problems_of(*rows, failed=(1, 2)) == []


def test_a_row_of_which_nobody_knows_whom_it_means_gets_no_reason():
    rows = row("12", "x@example.com"), row(BEN, "x@example.com")
    assert resolve(*rows, failed=(1,)).winners.tolist() == [2] and problems_of(*rows, failed=(1,)) == []


def test_blank_usernames_are_claimed_by_nobody():
    assert problems_of(row(ANN, "a@example.com"), row(BEN, "b@example.com")) == []


def test_only_the_problems_of_the_rows_of_a_piece_are_given():
    sent = sent_rows(*SAME)
    resolution = resolve(*SAME)
    assert reasons(resolution.problems(sent.loc[[2, 3]])) == [(3, "", "DUPLICATE_IN_FILE")]
    assert resolution.problems(sent.loc[[2]]).empty


# Combined rows.


def test_the_last_row_of_a_client_stands_for_all_and_the_others_name_it():
    resolution = resolve(*SAME, policy="combine")
    assert resolution.winners.tolist() == [2, 4] and set(resolution.replaced.index) == {1, 3}
    problems = resolution.problems(sent_rows(*SAME))
    assert set(problems["message"]) == {"Combined with row 4 (line 5), which is the same client."}
    assert set(problems["code"]) == {"DUPLICATE_IN_FILE"} and set(problems["severity"]) == {"warning"}


def test_the_last_username_that_a_client_is_given_is_the_one_it_claims():
    ann = row(ANN, "a@example.com", "first"), row(ANN, "a@example.com", "last"), row(ANN, "a@example.com")
    resolution = resolve(*ann, policy="combine")
    assert resolution.earlier["username"].to_dict() == {3: "last"}
    assert with_earlier(sound_and_keys(sent_rows(*ann), CLIENTS)[1], resolution.earlier)["username"].tolist() == [
        "first", "last", "last",
    ]  # fmt: skip
    rows = *ann, row(BEN, "b@example.com", "last"), row(CAT, "c@example.com", "first")
    assert resolve(*rows, policy="combine").winners.tolist() == [5]
    problems = resolve(*rows, policy="combine").problems(sent_rows(*rows))
    assert problems["message"][problems["code"] == "USERNAME_TAKEN"].tolist() == [
        "The username “last” is taken by row 4 of this file.", "The username “last” is taken by row 3 of this file.",
    ]  # fmt: skip


def test_a_combined_client_claims_the_email_of_its_last_row_alone():
    rows = row(ANN, "x@example.com"), row(BEN, "x@example.com"), row(ANN, "a@example.com")
    assert resolve(*rows, policy="combine").winners.tolist() == [2, 3]
    assert problems_of(*reversed(rows), policy="combine") == [
        (1, "", "DUPLICATE_IN_FILE"), (2, "email", "EMAIL_REPEATED"), (3, "email", "EMAIL_REPEATED"),
    ]  # fmt: skip


def test_a_row_without_an_email_takes_that_of_an_earlier_row_with_the_client_that_has_it():
    rows = row(ANN, "ben@example.com"), row(ANN, "")
    resolution = resolve(*rows, policy="combine")
    assert resolution.earlier.to_dict("index") == {2: {"email_key": "ben@example.com", "holder": BEN, "username": ""}}


def test_a_failed_row_is_not_combined_and_its_username_is_not_claimed():
    rows = row(ANN, "a@example.com", "one"), row(ANN, "a@example.com", "two"), row(ANN, "a@example.com")
    resolution = resolve(*rows, policy="combine", failed=(2,))
    assert resolution.earlier["username"].to_dict() == {3: "one"} and list(resolution.replaced.index) == [1]
    assert resolve(*rows, policy="combine", failed=(1, 2)).earlier.empty


ROWS = st.builds(row, st.sampled_from(["", ANN, BEN, CAT]), st.sampled_from([f"{c}@example.com" for c in "abx"] + ["ann@example.com"]),
                 st.sampled_from(["", "", "one", "two"]))  # fmt: skip


@given(
    st.lists(ROWS, min_size=1, max_size=8),
    st.sampled_from(["keep_last", "keep_first", "reject", "combine"]),
    st.sets(st.integers(1, 8)),
)
def test_winners_are_good_rows_of_different_clients_with_different_emails_and_usernames(rows, policy, failed):
    sent = sent_rows(*rows)
    sound = clean(sent, {}).assign(id_is_wrong=False)  # Pandera would take longer than all the rest
    keys = join_clients(match(sound, *keys_to_look_up(sound), CLIENTS), Feed(name="x", title="X"))
    resolution = resolve_duplicates(keys, pd.Series(~keys.index.isin(failed), index=keys.index), policy)
    winners = with_earlier(keys, resolution.earlier).loc[resolution.winners]
    assert not failed & set(resolution.winners)
    assert winners["email_key"].is_unique and winners["means"][winners["means"] != ""].is_unique
    assert winners["username"][winners["username"] != ""].is_unique
    # Every good row wins, is replaced, or learns why not.
    numbers = {number for number, _, _ in reasons(resolution.problems(sent))}
    assert set(keys.index) - failed <= {*resolution.winners, *numbers} and not set(resolution.winners) & numbers
