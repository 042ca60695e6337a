"""A refusal and a warning ask about a column that may be meant, and never about one that cannot be the field."""

from __future__ import annotations

import pytest

from include.errors import FileRefused
from include.transforms.csv_reading.headers import read_header


def refusal(header: str, *records: str) -> str:
    with pytest.raises(FileRefused) as refused:
        read_header(header.split("|"), {}, 1, samples=[record.split("|") for record in records])
    assert refused.value.code == "FILE_MISSING_COLUMN"
    return refused.value.message


def asked(*names: str) -> list[str]:
    """Give the end of each warning of a file that has first name and e-mail."""
    problems = read_header(["First Name", "Email", *names], {}, 1).problems
    return [problem.message.partition(" was ignored.")[2].strip() for problem in problems]


def test_a_column_whose_cells_cannot_be_an_address_is_not_suggested_for_the_e_mail():
    header = "First Name|Mail sent|E-mail status|Contact e-mail|Second e-mail"
    assert "Did you mean “Second e-mail” to be Email?" in refusal(
        header, "Ann|yes|sent|by phone|", "Bo|no|sent||bo@example.com"
    )
    assert "Did you mean" not in refusal("First Name|Billing e-mail", "Ann|yes", "Bo|no")
    assert "Did you mean “Billing e-mail”" in refusal("First Name|Billing e-mail", "Ann|", "Bo|bo@example.com")


def test_a_column_that_has_addresses_is_suggested_before_one_with_a_nearer_name_and_blank_cells():
    assert "Did you mean “Private Email” to be Email?" in refusal(
        "First Name|Emial|Private Email", "Ann||a@example.com"
    )


def test_without_records_the_nearest_name_is_suggested_and_no_name_about_an_address():
    assert "Did you mean “E-mail 2 - Value” to be Email?" in refusal("First Name|E-mail 2 - Type|E-mail 2 - Value")
    assert "Did you mean" not in refusal("First Name|E-mail 1 - Type|E-mail Display Name")


@pytest.mark.parametrize(
    "name", ["Name", "Full Name", "Contact", "Kontakt", "Nom complet", "Nombre", "Nominativo", "Naam"]
)
def test_a_whole_name_is_suggested_for_the_first_name_with_the_advice_to_split_it(name):
    assert refusal(f"{name}|Email", "Ann Lee|ann@example.com") == (
        f"The column First Name is missing. Did you mean “{name}” to be First Name?"
        " If it holds whole names, split it into First Name and Last Name."
    )


def test_a_column_of_numbers_or_addresses_is_not_suggested_for_the_first_name():
    assert "Did you mean" not in refusal("Contact|Email", "1001|ann@example.com", "1002|bo@example.com")
    assert "Did you mean" not in refusal("Contact|Email", "ann@example.com|ann@example.com")


def test_both_required_fields_have_their_own_suggestion():
    message = refusal("Frist Name|Emial|Shoe size", "Ann|ann@example.com|1")
    assert "“Frist Name” to be First Name? Did you mean “Emial” to be Email?" in message


def test_records_that_are_shorter_than_the_header_are_no_hindrance():
    assert "Did you mean “Emial” to be Email?" in refusal("First Name|Emial", "Ann", "", "Bo|b@example.com|more")


def test_a_warning_asks_about_words_of_other_languages_for_fields_whose_cells_are_ours():
    assert asked("Aktiv", "Créé le", "Kundentyp", "Login") == [
        "Did you mean Active?", "Did you mean Created?", "Did you mean Type?", "Did you mean Username?",
    ]  # fmt: skip


def test_a_warning_asks_nothing_about_what_only_contains_a_fields_name():
    assert asked("E-mail Type", "Phonetic Last Name", "Company ID", "Inactive since", "Desktop phone") == [""] * 5
