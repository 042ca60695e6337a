"""What a feed says for cells meets the rules of cells, and the judge of both is one."""

from __future__ import annotations

import pytest

from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.schemas.feed_words import REFERENCES
from include.transforms.validation.feed_values import wrong_values
from tests.frames import NOW


def sentences(**keys) -> list[str]:
    return wrong_values(Feed(name="x", title="X", **keys), NOW)


@pytest.mark.parametrize(
    ("defaults", "sentence"),
    [
        ({"type": "vip"}, "`defaults.type`: Type “vip” is not one of: personal, business."),
        ({"active": "ja"}, "`defaults.active`: Active “ja” is none of true, false, yes, no, 1, 0."),
        ({"last_name": "x" * 300}, "`defaults.last_name`: Last name has 300 characters; at most 100 fit."),
        ({"last_name": "=1+1"}, "`defaults.last_name`: Last name “=1+1” is a formula that a spreadsheet would run."),
        ({"middle_name": "<script>"}, "`defaults.middle_name`: Middle name “<script>” contains a script or markup."),
        ({"last_name": "a\x00b"}, "`defaults.last_name`: Last name contains an invisible character (U+0000)."),
        ({"created": "13/06/2024"}, "`defaults.created`: Created “13/06/2024” is no date or date-time of the form 2024-06"),
        ({"created": "2026-06-02"}, "`defaults.created`: Created “2026-06-02” lies in the future."),
        ({"last_name": "#clear"}, "`defaults.last_name` is '#clear': a new client has nothing that this word could clear."),
    ],
)  # fmt: skip
def test_a_default_that_no_cell_could_hold_has_a_sentence_with_its_path(defaults, sentence):
    (said,) = sentences(defaults=defaults)
    assert said.startswith(sentence)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"type": {"VIP": "vip"}}, "`values.type.VIP`: Type “vip” is not one of: personal, business."),
        ({"active": {"ja": "jawohl"}}, "`values.active.ja`: Active “jawohl” is none of true, false, yes, no, 1, 0."),
        ({"email": {"boss": "boss@"}}, "`values.email.boss`: E-mail “boss@” "),
        ({"first_name": {"-": ""}}, "`values.first_name.-`: First name is blank, and every client needs one."),
        ({"username": {"-": "x"}}, "`values.username.-`: Username “x” has 1 characters; at least 3 are needed."),
        ({"id": {"-": "12"}}, "`values.id.-`: ID “12” is not an ID of 24 hexadecimal digits."),
        ({"type": {"a": "#CLEAR"}}, "`values.type.a`: "),
    ],
)
def test_a_meaning_that_no_cell_could_hold_has_a_sentence_with_its_path(values, sentence):
    (said,) = sentences(values=values)
    assert said.startswith(sentence)


def test_what_a_cell_may_hold_a_feed_may_say():
    defaults = {"project": "default", "active": True, "type": "Business", "last_name": " Lee ", "created": "2024-06-13"}
    values = {
        "desk": {"London": "67a3470d8092c651c9193390", "none": ""},
        "active": {"ja": "yes", "?": ""},
        "last_name": {"-": "#CLEAR"},
        "created": {"long ago": "01/02/2003", "founded": "2001-01-01"},
    }
    columns = {"Email": "email", "ID": "ignore", "Surname": "middle_name", "Kunden-Mail": "email"}
    assert sentences(defaults=defaults, values=values, columns=columns, date_format="%d/%m/%Y") == []


def test_all_that_is_wrong_is_told_at_once():
    paths = [sentence.partition(":")[0] for sentence in sentences(
        defaults={"type": "vip", "active": "ja"}, values={"type": {"a": "b", "c": "d"}}, columns={"ID": "username"},
    )]  # fmt: skip
    assert paths == [
        "`columns.ID` is 'username'",
        "`defaults.type`",
        "`defaults.active`",
        "`values.type.a`",
        "`values.type.c`",
    ]


@pytest.mark.parametrize("name", ["Email", "e_mail", "E-MAIL", "First Name", "username"])
def test_a_published_column_name_cannot_mean_another_field(name):
    (said,) = sentences(columns={name: "middle_name"})
    assert said.startswith(f"`columns.{name}` is 'middle_name': {name!r} always means ") and "`ignore`" in said


def test_the_fields_that_hold_ids_of_the_crm_are_those_of_the_model():
    assert [name for name, field in FIELDS.items() if field.kind == "reference"] == list(REFERENCES)
    assert [name for name, field in FIELDS.items() if field.kind == "boolean"] == ["active"]
