"""Projects and desks: a cell becomes an ID that exists, judged for the client that the row means."""

from __future__ import annotations

import pandas as pd
import pytest

from include.transforms.matching import references
from include.transforms.matching.duplicates import rows_of_repeated_clients
from include.transforms.matching.references import Desk, EarlierRows, ReferenceData, resolve_references
from include.transforms.validation.cells import judge_cells
from include.transforms.validation.cleaning import clean
from tests.conftest import DESK, LONDON, NIGHT, PARTNERS, PROJECT
from tests.frames import NO_RAGGED, NOW, client_table, reasons, sent_rows, sound_and_keys

# A project without a default desk, and a desk of it.
BARE, BARE_DESK = "6655aa10caa3558dd8f8da9a", "67a3470d8092c651c919339a"
DATA = ReferenceData(
    {PROJECT: "Default", PARTNERS: "Partners", BARE: "Bare"},
    PROJECT,
    {
        DESK: Desk(DESK, PROJECT, "Default desk", True),
        LONDON: Desk(LONDON, PARTNERS, "London", True),
        NIGHT: Desk(NIGHT, PARTNERS, "Night shift", False),
        BARE_DESK: Desk(BARE_DESK, BARE, "Twin", False),
    },
)
ANN = "a" * 24
CLIENTS = client_table(**{ANN: {"email": "ann@example.com", "project": PARTNERS}})
KNOWN = {"first_name": "Ann", "email": "ann@example.com"}
NEW = {"first_name": "Ben", "email": "ben@example.com"}
UNCLEAR = {"id": "12", "first_name": "Cat", "email": "cat@example.com"}
NOTHING = (None, None)
NAME_ONE = "Name one in the row, or in the feed file (key `defaults`)."


def judge(*rows: dict[str, str], data: ReferenceData = DATA, **defaults: str) -> tuple[list[tuple], pd.DataFrame]:
    """(project, desk) of each row, None where the client keeps what it has; and the problems."""
    sent = sent_rows(*rows)
    resolved, problems = resolve_references(sent, *sound_and_keys(sent, CLIENTS), data, defaults)
    cells = zip(resolved["project"].tolist(), resolved["desk"].tolist(), strict=True)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in cells], problems


def resolved(row: dict[str, str], **defaults: str) -> tuple:
    (ids,), problems = judge(row, **defaults)
    assert problems.empty, problems["message"].tolist()
    return ids


def message(row: dict[str, str], field: str, data: ReferenceData = DATA, **defaults: str) -> str:
    _, problems = judge(row, data=data, **defaults)
    assert reasons(problems) == [(1, field, "CELL_REFERENCE_NOT_FOUND")]
    return problems.at[0, "message"]


# New clients.


def test_a_new_client_gets_the_default_project_and_its_default_desk():
    assert resolved(NEW) == resolved(NEW | {"project": "default", "desk": "Default"}) == (PROJECT, DESK)


def test_a_new_client_gets_the_project_it_names_and_that_projects_default_desk():
    assert resolved(NEW | {"project": PARTNERS.upper()}) == (PARTNERS, LONDON)


def test_the_feeds_defaults_come_before_the_crms():
    assert resolved(NEW, project=PARTNERS) == (PARTNERS, LONDON)
    assert resolved(NEW, project=PARTNERS, desk=NIGHT) == (PARTNERS, NIGHT)


def test_the_feeds_default_desk_counts_only_in_its_own_project():
    assert resolved(NEW, desk=NIGHT) == (PROJECT, DESK)
    assert resolved(NEW | {"project": PARTNERS}, desk=NIGHT) == (PARTNERS, NIGHT)


def test_a_desk_alone_names_its_project_whatever_the_feeds_defaults_say():
    assert resolved(NEW | {"desk": LONDON.upper()}) == (PARTNERS, LONDON)
    assert resolved(NEW | {"desk": DESK}, project=PARTNERS, desk=NIGHT) == (PROJECT, DESK)
    without_default = ReferenceData(DATA.projects, None, DATA.desks)
    assert judge(NEW | {"desk": NIGHT}, data=without_default)[0] == [(PARTNERS, NIGHT)]


def test_the_word_default_is_no_desk_that_could_name_a_project():
    assert resolved(NEW | {"desk": "default"}, desk=NIGHT) == (PROJECT, DESK)


def test_a_desk_of_another_project_than_the_given_one_fails_and_both_are_named_with_their_ids():
    expected = (
        f"The desk “London” (ID {LONDON}) belongs to the project “Partners” (ID {PARTNERS}), not to the given project "
        f"“Default” (ID {PROJECT}). Correct one of the two, or leave it blank."
    )
    for project in (PROJECT, "default", "Default"):
        assert message(NEW | {"project": project, "desk": LONDON}, "desk") == expected
        assert message(KNOWN | {"project": project, "desk": LONDON}, "desk") == expected


def test_an_unknown_desk_alone_is_one_problem_also_where_there_is_no_default_project():
    assert message(NEW | {"desk": "Oslo"}, "desk", data=ReferenceData(DATA.projects, None, DATA.desks))


# Existing clients.


def test_an_existing_client_keeps_what_it_has_where_the_cells_are_blank():
    assert resolved(KNOWN) == resolved(KNOWN, project=PROJECT, desk=NIGHT) == NOTHING


def test_an_existing_client_that_moves_gets_the_default_desk_of_its_new_project():
    assert resolved(KNOWN | {"project": PROJECT}) == (PROJECT, DESK)


def test_an_existing_client_whose_project_is_named_again_keeps_its_desk():
    assert resolved(KNOWN | {"project": PARTNERS}) == (PARTNERS, None)


def test_an_existing_client_moves_to_the_project_of_the_desk_it_is_given():
    assert resolved(KNOWN | {"desk": NIGHT}) == (None, NIGHT)
    assert resolved(KNOWN | {"desk": DESK}, project=PARTNERS) == (PROJECT, DESK)


def test_the_word_default_means_the_default_desk_of_the_clients_project():
    assert resolved(KNOWN | {"desk": "default"}) == (None, LONDON)
    assert resolved(KNOWN | {"desk": "default"}, desk=NIGHT) == (None, NIGHT)
    assert resolved(KNOWN | {"project": "default", "desk": "default"}) == (PROJECT, DESK)


NAMES_ANN = {"id": ANN, "first_name": "Ann", "email": "new@example.com"}
JOINS_ANN = {"first_name": "Ann", "email": "new@example.com"}


def test_a_row_without_id_that_joins_a_known_client_leaves_its_project_and_desk_alone():
    assert judge(NAMES_ANN, JOINS_ANN)[0] == [NOTHING, NOTHING]


def test_the_desks_of_a_row_without_id_that_joins_a_known_client_are_judged_as_that_clients():
    assert judge(NAMES_ANN, JOINS_ANN | {"desk": NIGHT})[0] == [NOTHING, (None, NIGHT)]
    assert judge(NAMES_ANN, JOINS_ANN | {"desk": "default"})[0] == [NOTHING, (None, LONDON)]


# Rows of which nobody knows whom they mean.


def test_a_row_that_means_nobody_is_judged_by_its_cells_alone():
    rows = [
        UNCLEAR | cells
        for cells in (
            {},
            {"project": PARTNERS, "desk": NIGHT},
            {"desk": NIGHT},
            {"project": PROJECT, "desk": NIGHT},
            {"desk": "Oslo"},
        )
    ]
    _, problems = judge(*rows)
    assert reasons(problems) == [(4, "desk", "CELL_REFERENCE_NOT_FOUND"), (5, "desk", "CELL_REFERENCE_NOT_FOUND")]


def test_a_row_with_a_wrong_name_has_its_unknown_desk_reported_too():
    _, problems = judge(NEW | {"first_name": "", "desk": "Oslo"})
    assert reasons(problems) == [(1, "desk", "CELL_REFERENCE_NOT_FOUND")]


# What is not found.


def test_an_unknown_project_and_an_unknown_desk_are_both_reported():
    _, problems = judge(NEW | {"project": "Nowhere", "desk": "Oslo"})
    assert reasons(problems) == [(1, "project", "CELL_REFERENCE_NOT_FOUND"), (1, "desk", "CELL_REFERENCE_NOT_FOUND")]
    assert problems["message"].tolist() == ["No project is called “Nowhere”.", "No desk is called “Oslo”."]
    assert problems["value"].tolist() == ["Nowhere", "Oslo"]


def test_a_name_instead_of_an_id_is_answered_with_the_id():
    _, problems = judge(NEW | {"project": "partners", "desk": "LONDON"})
    assert problems["meant"].tolist() == [PARTNERS, LONDON]
    assert problems.at[1, "message"] == f"No desk has the ID “LONDON”. The desk with that name has the ID {LONDON}."


@pytest.mark.parametrize("cell", ["c" * 23 + "1", "67a3470d8092", "0815"])
def test_what_looks_like_an_id_is_an_id_that_no_desk_has(cell):
    assert message(NEW | {"desk": cell}, "desk") == f"No desk has the ID “{cell}”."


def test_a_name_that_two_desks_have_is_answered_with_both_and_means_neither():
    twin = ReferenceData(DATA.projects, PROJECT, {**DATA.desks, "d" * 24: Desk("d" * 24, BARE, "Twin", False)})
    _, problems = judge(NEW | {"desk": "Twin"}, data=twin)
    assert problems["meant"].tolist() == [""] and f"{BARE_DESK} or {'d' * 24}" in problems.at[0, "message"]


def test_a_project_without_a_default_desk_asks_for_one():
    assert message(NEW | {"project": BARE}, "desk") == f"The project “Bare” has no default desk. {NAME_ONE}"
    assert resolved(NEW | {"project": BARE, "desk": BARE_DESK}) == (BARE, BARE_DESK)
    assert resolved(NEW | {"project": BARE}, desk=BARE_DESK) == (BARE, BARE_DESK)


def test_where_there_is_no_default_project_one_has_to_be_named():
    data = ReferenceData(DATA.projects, None, DATA.desks)
    assert message(NEW, "project", data=data) == f"There is no default project. {NAME_ONE}"


def test_an_empty_crm_is_told_as_such():
    sentence = message(NEW, "project", data=ReferenceData({}, None, {}))
    assert sentence.startswith("The CRM has no projects yet. Add projects and desks to its database first")


def test_a_name_that_is_unknown_is_told_the_words_that_the_feed_knows():
    sent = sent_rows(NEW | {"desk": "Oslo"}, NEW | {"project": "x"})
    many = {f"Büro {n}\n": LONDON for n in range(12)} | {"y" * 90: LONDON}
    _, problems = resolve_references(sent, *sound_and_keys(sent, CLIENTS), DATA, {}, values={"desk": many})
    known = ", ".join(f"Büro {n}\\u000a" for n in range(10))
    assert problems["message"].tolist() == [
        f"No desk is called “Oslo”. The feed knows the words {known} and 3 more.", "No project is called “x”.",
    ]  # fmt: skip


def test_a_default_of_the_feed_that_does_not_exist_is_no_default():
    assert message(NEW, "project", project="f" * 24) == f"There is no default project. {NAME_ONE}"


def test_a_file_without_these_columns_has_problems_about_them_all_the_same():
    _, problems = judge(NEW, data=ReferenceData({}, None, {}))
    assert reasons(problems) == [(1, "project", "CELL_REFERENCE_NOT_FOUND")] and problems["value"].tolist() == [""]


def test_rows_that_say_the_same_are_judged_once(monkeypatch):
    judged, verdict = [], references._Judge.verdict
    monkeypatch.setattr(
        references._Judge, "verdict", lambda self, *cells: judged.append(cells) or verdict(self, *cells)
    )
    rows = [
        {"first_name": "x", "email": f"x{number}@example.com", "desk": ["", "Oslo"][number % 2]}
        for number in range(100)
    ]
    ids, problems = judge(*rows)
    assert ids == [(PROJECT, DESK), NOTHING] * 50 and problems["row"].tolist() == list(range(2, 101, 2))
    assert judged == [("", "", True, ""), ("", "Oslo", True, "")]


# Rows of one client that count one after another.


def judge_in_order(*rows: dict[str, str], pieces: int = 1) -> tuple[list[tuple], list[tuple[int, str, str]]]:
    """(project, desk) of each row together with the rows before it, and the problems, from a file in pieces."""
    sent = sent_rows(*rows)
    sound, keys = sound_and_keys(sent, CLIENTS)
    earlier, resolved, problems = EarlierRows(rows_of_repeated_clients(keys)), [], []
    size = -(-len(rows) // pieces)
    for start in range(0, len(rows), size):
        piece = slice(start, start + size)
        reasons_so_far = judge_cells(sent.iloc[piece], clean(sent.iloc[piece], {}), NO_RAGGED, NOW)
        some, unknown = resolve_references(
            sent.iloc[piece], sound.iloc[piece], keys.iloc[piece], DATA, {}, reasons_so_far, earlier
        )
        resolved += some[["project", "desk"]].itertuples(index=False, name=None)
        problems += reasons(unknown)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in resolved], problems


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_row_in_order_finds_the_client_where_the_rows_before_have_put_it(pieces):
    new = [NEW | {"desk": NIGHT}, NEW, NEW | {"project": PARTNERS}]
    assert judge_in_order(*new, pieces=pieces) == ([(PARTNERS, NIGHT)] * 3, [])
    known = [KNOWN | {"desk": BARE_DESK}, KNOWN | {"project": BARE}, KNOWN | {"desk": "default"}]
    assert judge_in_order(*known, pieces=pieces)[0][:2] == [(BARE, BARE_DESK)] * 2
    assert judge_in_order(*known, pieces=pieces)[1] == [(3, "desk", "CELL_REFERENCE_NOT_FOUND")]


@pytest.mark.parametrize("wrong", [{"first_name": ""}, {"project": PROJECT}])
def test_a_row_that_fails_leaves_the_client_where_it_is_for_the_rows_after_it(wrong):
    rows = [NEW | {"desk": NIGHT} | wrong, NEW, NEW | {"project": PARTNERS}]
    assert judge_in_order(*rows)[0][1:] == [(PROJECT, DESK), (PARTNERS, LONDON)]


def test_rows_of_other_clients_are_judged_beside_those_in_order_as_ever():
    other = {"first_name": "Cat", "email": "cat@example.com", "desk": LONDON}
    assert judge_in_order(NEW | {"desk": NIGHT}, other, NEW)[0] == [
        (PARTNERS, NIGHT),
        (PARTNERS, LONDON),
        (PARTNERS, NIGHT),
    ]
