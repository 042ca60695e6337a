"""What people export is imported as it is: columns are found by their names, and what is ignored is told."""

from __future__ import annotations

import pytest

OUTLOOK = (
    "Anrede,Vorname,Weitere Vornamen,Nachname,Suffix,E-Mail-Adresse,E-Mail-Typ,E-Mail: Angezeigter Name\r\n"
    'Frau,Ann,Maria,Lee,,ann@example.com,SMTP,"Lee, Ann (ann@example.com)"\r\n'
)
GOOGLE = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Value\n"
    "Ann Maria Lee,Ann,Maria,Lee,,* Work,ann@example.com,ann@home.example\n"
)
FRENCH = "Civilité;Nom;Prénom;Deuxième prénom;Courriel\nMme;Lee;Ann;Maria;ann@example.com\n"
OWN = "ID,First Name,Email,Type,Created,Active\n1001,Ann,ann@example.com,Customer,21 Nov 2024,Active\n"


@pytest.mark.parametrize("text", [OUTLOOK, GOOGLE, FRENCH], ids=["Outlook", "Google", "French"])
def test_an_export_is_imported_without_a_word_in_the_feed(bring, clients, text):
    result = bring(text)
    assert (result.state, result.counts.created) == ("merged", 1)
    assert {problem.code for problem in result.problems} == {"COLUMN_UNKNOWN"}
    (ann,) = clients().values()
    assert (ann["first_name"], ann["middle_name"], ann["last_name"]) == ("Ann", "Maria", "Lee")
    assert ann["email"] == "ann@example.com"


def test_columns_that_the_feed_ignores_neither_fail_rows_nor_warn(bring, clients):
    assert bring(OWN).counts.failed == 1
    result = bring(OWN, columns=dict.fromkeys(["ID", "Type", "Created", "Active"], "ignore"))
    assert (result.counts.created, result.problems) == (1, ())
    assert clients()["ann@example.com"]["type"] == "personal"


def test_what_a_spreadsheet_leaves_to_the_right_of_the_table_is_ignored_without_a_word(bring):
    result = bring("First Name,Email,,\nAnn,ann@example.com,,\nBo,bo@example.com,,\n")
    assert (result.state, result.counts.created, result.problems) == ("merged", 2, ())


def test_cells_without_a_column_name_are_counted_over_the_whole_file(bring):
    rows = "".join(f"Ann{n},ann{n}@example.com,{'x' * (n % 2)}\n" for n in range(100))
    result = bring(f"First Name,Email,\n{rows}")
    assert result.counts.created == 100
    assert [problem.message for problem in result.problems] == [
        "Column 3 of 3 has no name: 50 filled cells were ignored."
    ]


def test_of_two_columns_for_one_field_the_one_that_has_cells_is_imported(bring, clients):
    result = bring("First Name,Email,E-mail\nAnn,,ann@example.com\nBo,,bo@example.com\n")
    assert (result.state, result.problems, set(clients())) == ("merged", (), {"ann@example.com", "bo@example.com"})


def test_all_faults_of_a_header_are_refused_in_one_message_that_names_no_impossible_column(bring):
    result = bring("Full Name,E-mail read,Contact e-mail,Type,Type\nAnn Lee,yes,ann@example.com,personal,business\n")
    assert result.code == "FILE_MISSING_COLUMN" and result.message == (
        "The columns First Name and Email are missing. Did you mean “Full Name” to be First Name?"
        " If it holds whole names, split it into First Name and Last Name."
        " Did you mean “Contact e-mail” to be Email? Columns 4 (“Type”) and 5 (“Type”) both mean Type."
    )
