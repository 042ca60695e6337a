"""Each column is the field that its name means; what is missing is named, with what could be meant."""

from __future__ import annotations

import pytest

from include.errors import FileRefused
from include.transforms.csv_reading.headers import Header, fields_of, missing_columns, normal, read_header


def header(*names: str, aliases: dict[str, str] | None = None) -> Header:
    return read_header(names, aliases or {}, 1)


def refusal(*names: str) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        header(*names)
    return refused.value


@pytest.mark.parametrize(
    "name", ["First Name", "firstName", "FIRST_NAME", "first-name", " first name ", "\ufeffFirst\u200bName"]
)
def test_case_spaces_underscores_and_hyphens_do_not_matter(name):
    assert fields_of([name], {}) == ["first_name"]


def test_names_are_compared_in_one_unicode_form():
    assert normal("Pre\u0301nom") == normal("Prénom")


def test_both_published_layouts_are_understood():
    crm = ["ID", "First Name", "Last Name", "Email", "Project", "Desk", "Active", "Type", "Created"]
    assert fields_of(crm, {}) == [
        "id", "first_name", "last_name", "email", "project", "desk", "active", "type", "created",
    ]  # fmt: skip
    assert fields_of(["firstName", "email", "username", "middleName", "lastName"], {}) == [
        "first_name", "email", "username", "middle_name", "last_name",
    ]  # fmt: skip


def test_an_alias_of_the_feed_wins_over_a_built_in_name():
    assert fields_of(["Vorname", "Username"], {"vorname": "first_name", "Username": "email"}) == ["first_name", "email"]


def test_columns_may_stand_in_any_order_and_are_found_by_position():
    assert header("Email", "Shoe size", "First Name").positions == {"email": 0, "first_name": 2}


def test_a_column_with_an_underscore_in_front_is_ignored_without_a_warning():
    assert header("First Name", "Email", "_row").problems == []


def test_required_fields_without_a_column_are_missing():
    assert missing_columns(["Email"], {}) == ["first_name"] and missing_columns(["Email", "First Name"], {}) == []


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["Ann", "a@example.com"], "The first record stands where the header should be"),
        (["Vorname", "E-Mail-Adresse"], "Did you mean “E-Mail-Adresse” to be Email"),
        (["Frist Name", "Mail"], "“Frist Name” to be First Name? Did you mean “Mail” to be Email"),
        (["Name"], "The columns First Name and Email are missing. The header has: “Name”"),
        (["First Name", "Phone"], "The column Email is missing."),
    ],
)
def test_a_missing_column_is_named_with_what_could_be_meant(names, sentence):
    refused = refusal(*names)
    assert refused.code == "FILE_MISSING_COLUMN" and sentence in refused.message


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["First Name", "Email", "E-mail"], "The columns “Email” and “E-mail” both mean E-mail."),
        (["First Name", "Email", " "], "Column 3 of 3 has no name."),
    ],
)
def test_a_header_that_is_not_clear_is_refused(names, sentence):
    refused = refusal(*names)
    assert refused.code == "FILE_DUPLICATE_COLUMN" and refused.message == sentence


def test_an_unknown_column_is_a_warning_that_says_what_it_is_nearly():
    (problem,) = header("First Name", "Email", "Usrname").problems
    assert (problem.code, problem.severity, problem.value) == ("COLUMN_UNKNOWN", "warning", "Usrname")
    assert problem.message == "The column “Usrname” is not known and was ignored. Did you mean Username?"


def test_of_many_unknown_columns_twenty_are_named_and_the_others_counted():
    problems = header("First Name", "Email", *(f"c{n}" for n in range(1_000))).problems
    assert len(problems) == 21 and problems[-1].message == "980 more columns are not known and were ignored."
