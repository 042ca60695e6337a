"""A feed file for a partner's first sample: what is plain is written, what is not has a remark."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import FileRefused
from include.schemas.feed import Feed
from include.schemas.feed_folder import load_feed
from include.transforms.drafting.draft import draft_feed, feed_name, file_pattern
from include.transforms.matching.references import Desk, ReferenceData
from tests.conftest import DESK, LONDON, PARTNERS, PROJECT

CRM = ReferenceData(
    {PROJECT: "Default", PARTNERS: "Partners"}, PROJECT,
    {DESK: Desk(DESK, PROJECT, "Default desk", True), LONDON: Desk(LONDON, PARTNERS, "London", True)},
)  # fmt: skip
ALWAYS = {"name", "title", "schedule", "notify", "file_pattern", "inbox", "hold"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drafts")


@pytest.fixture(scope="module")
def drafted(folder):
    """Draft a feed; gives what it says beyond what every draft says, and its text."""

    def _drafted(text: str | bytes, data: ReferenceData | None = CRM) -> tuple[dict[str, object], str]:
        draft = draft_feed("sample.csv", "Sample", text if isinstance(text, bytes) else text.encode(), data)
        path = folder / "sample.yaml"
        path.write_text(draft.text, encoding="utf-8")
        feed: Feed = load_feed(path)
        return feed.model_dump(include=feed.model_fields_set - ALWAYS), draft.text

    return _drafted


def test_a_file_with_published_names_needs_no_key(drafted):
    keys, text = drafted("First Name,Email\nAnn,ann@example.com\n")
    assert keys == {} and text.startswith("# yaml-language-server: $schema=../../docs/feed.schema.json\n")


def test_a_german_file_of_a_spreadsheet_is_understood_and_what_is_not_sure_has_a_remark(drafted):
    text = (
        "Partnerliste;;;;;\nStand: 1.11.2026;;;;;\n\nKd-Nr;Rufname;Nachname;Mail (privat);Desk;Aktiv seit;Created\n"
        "K1;Jörg;Müller;j@example.com;London;x;31.12.2025\nK2;Zoë;Ek;z@example.com;Madrid;x;01.02.2026\nSumme: 2;;;;;\n"
    )
    keys, written = drafted(text.encode("cp1252"))
    assert keys == {
        "encoding": "cp1252", "delimiter": ";", "skip_first_lines": 3, "skip_last_lines": 1, "date_format": "%d.%m.%Y",
        "columns": {
            "Kd-Nr": "ignore", "Rufname": "first_name", "Nachname": "last_name", "Mail (privat)": "email",
            "Aktiv seit": "ignore",
        },
        "values": {"desk": {"London": LONDON}},
    }  # fmt: skip
    for remark in (
        "not sure: look at letters",
        "# Madrid:  # the ID of the desk; none is called so",
        "# no field of a",
    ):
        assert remark in written


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ID,Vorname,Email\nK-1,Ann,a@example.com\n", {"columns": {"ID": "ignore", "Vorname": "first_name"}}),
        ("First Name,Contact\nAnn,a@example.com\n", {"columns": {"Contact": "email"}}),
        ("First Name,Email,Active,Type\nAnn,a@example.com,ja,Firma\nBo,b@example.com,nein,privat\n",
         {"values": {"active": {"ja": "yes", "nein": "no"}, "type": {"Firma": "business", "privat": "personal"}}}),
        ("First Name,Email,Aktiv,Kundentyp\nAnn,a@example.com,ja,Firma\n",
         {"columns": {"Aktiv": "active", "Kundentyp": "type"},
          "values": {"active": {"ja": "yes"}, "type": {"Firma": "business"}}}),
        ("First Name,Email,Aktiv\nAnn,a@example.com,seit 2019\n", {"columns": {"Aktiv": "ignore"}}),
        ("First Name,Contact,contact\nAnn,a@example.com,x\n", {"columns": {"Contact": "email"}}),
        ("First Name,Email,Desk\nAnn,a@example.com,Londn\n", {"values": {"desk": {"Londn": LONDON}}}),
        ("First Name,Email,Created\nAnn,a@example.com,01/02/2026\n", {"date_format": "%d/%m/%Y"}),
        ("First Name,Email,E-mail\nAnn,a@example.com,b@example.com\n", {"columns": {"Email": "email"}}),
        ("firstName,email,lastName\nAnn,a@example.com,Lee\n",
         {"columns": {"firstName": "first_name", "lastName": "last_name"}}),
        ("First Name,Email,Angelegt am\nAnn,a@example.com,31.12.2025\n",
         {"columns": {"Angelegt am": "created"}, "date_format": "%d.%m.%Y"}),
        ("First Name,Email,Date de création\nAnn,a@example.com,2025-12-31\n",
         {"columns": {"Date de création": "created"}}),
        ("First Name,Email,Fecha de alta\nAnn,a@example.com,31/12/2025 10:30\n",
         {"columns": {"Fecha de alta": "created"}, "date_format": "%d/%m/%Y %H:%M"}),
        ("First Name,Email,Created (UTC)\nAnn,a@example.com,1/31/2025 10:30:00 AM\n",
         {"columns": {"Created (UTC)": "created"}, "date_format": "%m/%d/%Y %I:%M:%S %p"}),
        ("First Name,Email,Erstellt von\nAnn,a@example.com,Bo\n", {"columns": {"Erstellt von": "ignore"}}),
    ],
)  # fmt: skip
def test_columns_and_words_are_guessed_by_what_is_in_them(drafted, text, keys):
    assert drafted(text)[0] == keys


MANY = [f"Ann,a{n}@example.com,31.12.2025,{n:024x}\n" for n in range(199)]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("First Name,Email,Created,ID\n" + "".join(MANY) + "Bo,b@example.com,unknown,1\n",
         "Created: created  # 199 of 200 cells fit"),
        ("First Name,Email,Created,ID\n" + "".join(MANY) + "Bo,b@example.com,1.1.2026,K-1\n", "ID: id  # 199 of 200 cells fit"),
        ("First Name,Email\n" + "".join(f"Ann,a{n}@example.com\n" for n in range(9)) + "Bo,none\n",
         "Email: email  # 9 of 10 cells fit"),
        ("First Name,Email,Angelegt am\nAnn,a@example.com,31.12.2025\nAnn,b@example.com,30.12.2025\nBo,c@example.com,?\n",
         '"Angelegt am": created  # not sure: the name is only like it; 2 of 3 cells fit'),
        ("First Name,Email,Aktiv\nAnn,a@example.com,seit 2019\n", "Aktiv: ignore  # not sure: it could be Active"),
        ("First Name,Email,Contact ID\nAnn,a@example.com," + "a" * 24, '"Contact ID": ignore  # not sure: it could be ID'),
        ("First Name,Email,E-mail\nAnn,a@example.com,b@example.com\n", "Email: email  # two columns are called so"),
        ("First Name,Email,Shoe size\nAnn,a@example.com,1\n", None),
    ],
)  # fmt: skip
def test_what_a_person_should_look_at_has_a_remark_and_is_counted(text, remark):
    draft = draft_feed("sample.csv", "Sample", text.encode(), CRM)
    assert (remark or "# no field of a client") in draft.text
    assert (draft.doubts > 0) is (remark is not None)


def test_a_total_below_the_table_is_a_footer(drafted):
    text = "First Name,Last Name,Email\nAnn,Lee,ann@example.com\n,,\nTotal,1,\nGenerated 2026-11-26,,\n"
    assert drafted(text)[0] == {"skip_last_lines": 2}
    assert drafted("First Name,Last Name,Email\nTotal,Lee,total@example.com\n")[0] == {}


def test_what_could_be_read_in_two_ways_is_not_sure(drafted):
    assert "# not sure: it could be %m/%d/%Y, too" in drafted("First Name,Email,Created\nA,a@x.org,01/02/2026\n")[1]
    assert "# not sure: it is like “London”" in drafted("First Name,Email,Desk\nA,a@x.org,Londn\n")[1]


def test_without_a_database_names_of_desks_wait_for_their_ids(drafted):
    keys, text = drafted("First Name,Email,Desk\nA,a@x.org,London\nB,b@x.org,zoe@x.org\n", None)
    assert keys == {} and "  #   London:  # the ID of the desk; the database was not asked" in text
    assert "zoe@x.org" not in text, "an address is no name of a desk, and does not go into a file of the repository"


def test_a_name_and_a_pattern_come_from_the_file():
    assert feed_name("ACME-clients_2026-11-01.csv") == "acme_clients" and feed_name("2026.csv") == "partner"
    assert feed_name("acme_1.csv.gz") == feed_name("ACME.zip") == "acme"
    assert file_pattern("ACME_2026-11-01_0042.csv") == "ACME_*.csv" and file_pattern("a[1].csv") == "a[[]*].csv"
    assert file_pattern("acme_1.csv.gz", "gzip") == "acme_*.csv*" and file_pattern("acme_1.zip", "zip") == "acme_*"


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "a@x.org",
        "yes",
        "01.02.2026",
        "#",
        ": x",
        "null",
        "~",
        "1e3",
        "a: b",
        "- a",
        "[",
        "{",
        "&a",
        "*a",
        "!t",
        "'",
        '"',
    ]
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=1, max_size=5), st.lists(CELLS, max_size=2))
def test_whatever_a_sample_holds_the_draft_is_a_feed_file(drafted, rows, names):
    text = io.StringIO()
    csv.writer(text).writerows([["First Name", "Email", "Desk", "Active", "Type", *names], *rows])
    try:
        drafted(text.getvalue().encode())
    except FileRefused:
        return


@pytest.mark.parametrize("name", ["How did you hear of us? " * 50, "\u202e" * 200])
def test_a_name_that_is_too_long_for_a_key_is_left_to_the_importer_which_ignores_it(drafted, name):
    assert drafted(f"First Name,Email,{name}\nAnn,ann@example.com,x\n")[0] == {}


def test_so_many_columns_that_no_feed_file_could_name_them_are_left_to_the_importer(drafted):
    own = ",".join(f"{n}{'x' * 900}" for n in range(400))
    assert drafted(f"Vorname,Email,{own}\nAnn,ann@example.com{',1' * 400}\n")[0] == {
        "columns": {"Vorname": "first_name"}
    }


@pytest.mark.parametrize("word", ["x" * 1100, "\u202e" * 200])
@pytest.mark.parametrize("field", ["Active", "Desk"])
def test_a_word_that_is_too_long_for_a_key_is_left_out_and_told(drafted, field, word):
    keys, text = drafted(f"First Name,Email,{field}\nAnn,ann@example.com,{word}\nBo,bo@example.com,London\n")
    assert "#  # 1 cell is too long for a word" in text and word not in text
    assert set(keys.get("values", {}).get(field.lower(), ())) <= {"London"}
