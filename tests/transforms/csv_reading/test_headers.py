"""Each column is the field that its name means; all faults of a header are named at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import FileRefused
from include.schemas.client_rows import FIELDS, required_columns
from include.transforms.csv_reading.headers import Header, fields_of, missing_columns, needs_counts, read_header


def header(*names: str, aliases: dict[str, str] | None = None, filled: list[int] | None = None) -> Header:
    return read_header(names, aliases or {}, 1, filled=filled)


def refusal(*names: str, filled: list[int] | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        header(*names, filled=filled)
    return refused.value


@pytest.mark.parametrize(
    "name", ["First Name", "firstName", "FIRST_NAME", "first-name", " first name ", "\ufeffFirst\u200bName"]
)
def test_case_spaces_underscores_and_hyphens_do_not_matter(name):
    assert fields_of([name], {}) == ["first_name"]


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
    assert missing_columns(["Email"], {}) == [("first_name",)] and missing_columns(["Email", "First Name"], {}) == []


def test_a_file_that_only_updates_needs_an_id_or_an_email():
    required = required_columns("update_only")
    for names in (["ID", "Desk"], ["Desk", "Email"]):
        assert set(read_header(names, {}, 1, required=required).positions) == {name.lower() for name in names}
    with pytest.raises(FileRefused) as refused:
        read_header(["First Name", "Desk"], {}, 1, required=required)
    assert refused.value.message == "The column ID or Email is missing. The header has: “First Name”, “Desk”."


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["Ann", "a@example.com"], "The first record stands where the header should be"),
        (["Frist Name", "Mial"], "The columns First Name and Email are missing. Did you mean “Frist Name” to be First"),
        (["Shoe size"], "The columns First Name and Email are missing. The header has: “Shoe size”."),
        (["First Name", "Shoe size"], "The column Email is missing."),
    ],
)
def test_a_missing_column_is_named_with_what_could_be_meant(names, sentence):
    refused = refusal(*names)
    assert refused.code == "FILE_MISSING_COLUMN" and sentence in refused.message


def test_all_faults_of_a_header_are_told_at_once_each_with_its_columns():
    refused = refusal("Full Name", "Email", "E-mail", "Type", "Type", "Type")
    assert refused.code == "FILE_MISSING_COLUMN" and refused.message == (
        "The column First Name is missing. Did you mean “Full Name” to be First Name?"
        " If it holds whole names, split it into First Name and Last Name."
        " Columns 2 (“Email”) and 3 (“E-mail”) both mean E-mail."
        " Columns 4 (“Type”), 5 (“Type”) and 6 (“Type”) all mean Type."
    )


def test_where_the_header_stands_elsewhere_nothing_else_is_said_of_the_line_that_is_none():
    with pytest.raises(FileRefused) as refused:
        read_header(["Email", "Email"], {}, 1, " The header seems to stand in line 3.")
    assert refused.value.message == "The column First Name is missing. The header seems to stand in line 3."


def test_a_header_that_names_one_field_a_thousand_times_is_refused_in_one_short_sentence():
    refused = refusal("First Name", *["Email"] * 1_000)
    assert refused.code == "FILE_DUPLICATE_COLUMN" and refused.message == (
        "Columns 2 (“Email”), 3 (“Email”), 4 (“Email”), 5 (“Email”), 6 (“Email”) and 995 more all mean E-mail."
    )


@pytest.mark.parametrize(
    ("filled", "sentences"),
    [
        ([9, 9, 0, 0], []),
        ([9, 9, 3, 0], ["Column 3 of 4 has no name: 3 filled cells were ignored."]),
        ([9, 9, 1, 0], ["Column 3 of 4 has no name: 1 filled cell was ignored."]),
        (None, ["Column 3 of 4 has no name and was ignored.", "Column 4 of 4 has no name and was ignored."]),
    ],
)
def test_a_column_without_a_name_is_ignored_and_only_what_stands_in_it_is_told(filled, sentences):
    read = header("First Name", "Email", " ", "", filled=filled)
    assert read.positions == {"first_name": 0, "email": 1}
    assert [problem.message for problem in read.problems] == sentences
    assert {problem.code for problem in read.problems} <= {"COLUMN_UNKNOWN"}


@pytest.mark.parametrize(("filled", "position"), [([9, 0, 9], 2), ([9, 9, 0], 1), ([9, 0, 0], 1)])
def test_of_two_columns_that_mean_one_field_the_one_with_cells_is_the_field(filled, position):
    read = header("First Name", "Email", "E-mail", filled=filled)
    assert read.positions["email"] == position and read.problems == []


def test_two_columns_with_cells_that_mean_one_field_are_refused():
    for filled in ([9, 9, 1], None):
        refused = refusal("First Name", "Email", "E-mail", filled=filled)
        assert (refused.code, refused.message) == (
            "FILE_DUPLICATE_COLUMN", "Columns 2 (“Email”) and 3 (“E-mail”) both mean E-mail.",
        )  # fmt: skip


def test_blank_cells_are_counted_only_where_they_decide():
    assert not needs_counts(["First Name", "Email", "Shoe size", "Shoe size", "_row"], {})
    assert not needs_counts(["First Name", "Email", "E-mail", "ID", "ID"], {"E-mail": "ignore", "ID": "ignore"})
    assert needs_counts(["First Name", "Email", ""], {})
    assert needs_counts(["First Name", "Email", "E-mail"], {})
    assert needs_counts(["First Name", "Email", "E-mail Address"], {})


def test_a_published_name_wins_over_what_other_programs_call_the_field():
    read = header("First Name", "E-mail 1 - Value", "Email")
    assert read.positions == {"first_name": 0, "email": 2}
    (problem,) = read.problems
    assert problem.message == "The column “E-mail 1 - Value” was ignored: “Email” is the column of E-mail."
    assert fields_of(["First Name", "E-mail 1 - Value", "Email"], {}) == ["first_name", None, "email"]


def test_a_published_name_without_cells_leaves_the_field_to_what_another_program_calls_it():
    read = header("First Name", "E-mail 1 - Value", "Email", filled=[9, 9, 0])
    assert read.positions["email"] == 1 and read.problems == []


def test_a_feed_says_more_than_any_name():
    aliases = {"E-Mail-Adresse": "username", "Kunden-Mail": "email", "Vorname": "last_name", "Name": "first_name"}
    names = ["Name", "Vorname", "Kunden-Mail", "E-Mail-Adresse", "Surname"]
    assert fields_of(names, aliases) == ["first_name", "last_name", "email", "username", None]


ANY_NAME = st.sampled_from(
    ["First Name", "Vorname", "Email", "E-mail", "Mail", "Courriel", "Last Name", "Cognome", "Shoe"]
)


@given(columns=st.lists(st.tuples(ANY_NAME, st.integers(0, 2)), max_size=6))
def test_a_field_is_read_from_the_one_column_that_has_cells_and_the_better_name(columns):
    names, filled = ["First Name", "Email", *(name for name, _ in columns)], [1, 1, *(cells for _, cells in columns)]
    try:
        positions = header(*names, filled=filled).positions
    except FileRefused as refused:
        assert refused.code == "FILE_DUPLICATE_COLUMN"
        return
    meant = [fields_of([name], {})[0] for name in names]
    for field in filter(None, set(meant)):
        rank = [
            (filled[n] > 0, names[n] in FIELDS[field].headers) if meant[n] == field else () for n in range(len(names))
        ]
        best = max(rank)
        assert rank[positions[field]] == best and (rank.count(best) == 1 or not best[0])


def test_a_column_that_the_feed_ignores_is_the_partners_own_whatever_it_is_called():
    own = {"ID": "ignore", "E-mail address": "ignore", "Shoe size": "ignore", "Type": "ignore"}
    read = header("ID", "First Name", "Email", "E-Mail Address", "shoe_size", "Type", aliases=own)
    assert read.positions == {"first_name": 1, "email": 2} and read.problems == []
    assert missing_columns(["First Name", "Email"], {"Email": "ignore"}) == [("email",)]


# What the programs write, shortened to the columns that are fields or look like one; `=` before a field.
EXPORTS = {
    "Outlook": "Title|First Name=first_name|Middle Name=middle_name|Last Name=last_name|Suffix|Given Yomi|Surname Yomi"
    "|Assistant's Name|Manager's Name|E-mail Address=email|E-mail Type|E-mail Display Name|E-mail 2 Address"
    "|E-mail 2 Type|User 1|Government ID Number|Organizational ID Number",
    "Outlook, German": "Anrede|Vorname=first_name|Weitere Vornamen=middle_name|Nachname=last_name|Suffix|Firma"
    "|E-Mail-Adresse=email|E-Mail-Typ|E-Mail: Angezeigter Name|E-Mail 2: Adresse|Name Assistent|Benutzer 1",
    "Outlook, French": "Titre|Prénom=first_name|Deuxième prénom=middle_name|Nom=last_name|Suffixe|Société"
    "|Adresse de messagerie=email|Type de messagerie|Nom complet de l'adresse de messagerie"
    "|Adresse de messagerie 2|Nom de l'assistant(e)",
    "Outlook, Spanish": "Nombre=first_name|Segundo nombre=middle_name|Apellidos=last_name|Organización"
    "|Dirección de correo electrónico=email|Tipo de correo electrónico|Dirección de correo electrónico 2"
    "|Nombre del director",
    "Outlook, Italian": "Titolo|Nome=first_name|Secondo nome=middle_name|Cognome=last_name|Società"
    "|Indirizzo posta elettronica=email|Tipo posta elettronica|Nome visualizzato posta elettronica"
    "|Indirizzo posta elettronica 2|Nome assistente|Nome manager",
    "Outlook, Dutch": "Titel|Voornaam=first_name|Middelste naam=middle_name|Achternaam=last_name|Achtervoegsel"
    "|E-mailadres=email|E-mailtype|Weergavenaam voor e-mail|E-mailadres 2|E-mail, weergegeven naam 2|Naam manager",
    "Google Contacts, until 2024": "Name|Given Name=first_name|Additional Name=middle_name|Family Name=last_name"
    "|Yomi Name|Given Name Yomi|Family Name Yomi|Name Prefix|Nickname|Maiden Name|E-mail 1 - Type"
    "|E-mail 1 - Value=email|E-mail 2 - Type|E-mail 2 - Value|Organization 1 - Name",
    "Google Contacts": "First Name=first_name|Middle Name=middle_name|Last Name=last_name|Phonetic First Name"
    "|Phonetic Middle Name|Phonetic Last Name|Name Prefix|Nickname|File As|Organization Name|E-mail 1 - Label"
    "|E-mail 1 - Value=email|E-mail 2 - Label|E-mail 2 - Value|Phone 1 - Value",
    "Thunderbird": "First Name=first_name|Last Name=last_name|Display Name|Nickname|Primary Email=email|Secondary Email"
    "|Screen Name|Work Phone|Custom 1",
    "Thunderbird, Italian": "Nome=first_name|Cognome=last_name|Nome visualizzato|Soprannome|Email primaria=email"
    "|Email secondaria",
    "Mailchimp": "Email Address=email|First Name=first_name|Last Name=last_name|MEMBER_RATING|OPTIN_TIME|LEID|EUID|TAGS",
    "Mailchimp, merge tags": "EMAIL=email|FNAME=first_name|LNAME=last_name|OPTIN_IP|CONFIRM_TIME",
    "LinkedIn": "First Name=first_name|Last Name=last_name|URL|Email Address=email|Company|Position|Connected On",
    "HubSpot": "Record ID|First Name=first_name|Last Name=last_name|Email=email|Work email|Email Domain|Contact owner"
    "|Company ID|Associated Company IDs|Create Date|Lead Status",
    "HubSpot, Spanish": "ID de registro|Nombre=first_name|Apellidos=last_name|Correo=email|Nombre de la empresa",
    "Salesforce": "Contact ID|Salutation|First Name=first_name|Last Name=last_name|Account Name|Account ID|Email=email"
    "|Email Opt Out|Created Date|Last Modified Date",
    "Salesforce, Dataloader": "ID=id|LASTNAME=last_name|FIRSTNAME=first_name|MIDDLENAME=middle_name|NAME|EMAIL=email"
    "|ISACTIVE|CREATEDDATE|USERNAME=username",
    "German CRM": "Externe ID|Name=last_name|Vorname=first_name|E-Mail=email|Firmenname|Erstellt am",
    "French CRM": "N° client|Civilité|Nom=last_name|Prénom=first_name|Courriel=email|Nom de l'entreprise",
    "Belgian CRM": "Klantnummer|Familienaam=last_name|Voornaam=first_name|Mailadres=email|Naam|Bedrijfsnaam",
    "directory": "uid|givenName=first_name|sn|mail=email|cn|displayName|userPrincipalName",
}  # fmt: skip


@pytest.mark.parametrize("program", EXPORTS)
def test_an_export_of_this_program_is_understood_without_a_feed_and_nothing_else_of_it_is_taken(program):
    columns = [column.partition("=") for column in EXPORTS[program].split("|")]
    names = [name for name, _, _ in columns]
    assert fields_of(names, {}) == [field or None for _, _, field in columns]
    assert not needs_counts(names, {}) and header(*names).names == names


@pytest.mark.parametrize("names", [("Prenom", "NOM", "Courrier electronique"), ("Pre\u0301nom", "nom", "COURRIEL")])
def test_accents_that_are_left_out_or_written_as_signs_of_their_own_do_not_matter(names):
    assert fields_of(names, {}) == ["first_name", "last_name", "email"]


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["Nom", "Email"], [None, "email"]),
        (["Nom", "First Name", "Email"], [None, "first_name", "email"]),
        (["Name", "Vorname", "Nachname"], [None, "first_name", "last_name"]),
        (["Nombre", "Primer apellido", "Segundo apellido"], ["first_name", None, None]),
        (["Nome", "Given Name", "Cognome"], [None, "first_name", "last_name"]),
        (["Name", "Surname"], [None, "last_name"]),
    ],
)
def test_a_word_that_may_be_a_whole_name_is_a_field_only_beside_the_other_half(names, fields):
    assert fields_of(names, {}) == fields


def test_an_unknown_column_is_a_warning_that_says_what_it_is_nearly():
    (problem,) = header("First Name", "Email", "Usrname").problems
    assert (problem.code, problem.severity, problem.value) == ("COLUMN_UNKNOWN", "warning", "Usrname")
    assert problem.message == "The column “Usrname” is not known and was ignored. Did you mean Username?"


def test_of_many_unknown_columns_twenty_are_named_and_the_others_counted():
    problems = header("First Name", "Email", *(f"c{n}" for n in range(1_000))).problems
    assert len(problems) == 21 and problems[-1].message == "980 more columns are not known and were ignored."
