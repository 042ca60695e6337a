"""A feed drafted from another program's export reads that export: the files have the header lines of the programs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from datetime import UTC, datetime

import pytest

from include.errors import FeedInvalid, FileRefused
from include.settings import ROOT
from include.steps.check import check
from include.steps.contract import write_contract
from include.steps.new_feed import new_feed
from include.transforms.csv_reading.headers import fields_of
from tests.transforms.csv_reading.test_unpacking import zipped

EXPORTS = ROOT / "tests" / "data" / "exports"
NAMES_AND_EMAIL = {"First Name": "first_name", "Last Name": "last_name", "Email": "email"}
# For each program: what its columns are read as, and how many lines of the feed a person should look at.
UNDERSTOOD = {
    "espocrm": (
        {"firstName": "first_name", "lastName": "last_name", "emailAddress": "email",
                 "createdAt": "created"}, 2),
    "freshsales": (
        {"First name": "first_name", "Last name": "last_name", "Emails": "email", "Created at": "created"}, 2),
    "google_contacts": (
        {"First Name": "first_name", "Middle Name": "middle_name", "Last Name": "last_name",
         "E-mail 1 - Value": "email"}, 0),
    "hubspot": (NAMES_AND_EMAIL | {"Create Date": "created"}, 1),
    "mailchimp": ({"First Name": "first_name", "Last Name": "last_name", "Email Address": "email"}, 0),
    "outlook": (
        {"First Name": "first_name", "Middle Name": "middle_name", "Last Name": "last_name",
         "E-mail Address": "email"}, 0),
    "pipedrive": (
        {"Person - First name": "first_name", "Person - Last name": "last_name", "Person - Email - Work": "email"}, 3),
    "salesforce": (NAMES_AND_EMAIL | {"Created Date": "created"}, 1),
    "shopify_customers": (NAMES_AND_EMAIL, 0),
    "stripe_customers": ({"Name": "first_name", "Email": "email", "Created (UTC)": "created"}, 3),
    "suitecrm": (
        {"First Name": "first_name", "Last Name": "last_name", "Email Address": "email", "Date Created": "created"}, 2),
    "zoho_crm": (NAMES_AND_EMAIL | {"Created Time": "created"}, 1),
}  # fmt: skip


# What the table speaks of. A field that is added may understand further columns.
FIELDS_HERE = (
    "id", "first_name", "middle_name", "last_name", "email", "username", "project", "desk", "active", "type", "created",
)  # fmt: skip


def test_each_export_is_in_the_table():
    assert {path.stem for path in EXPORTS.iterdir()} == UNDERSTOOD.keys()


@pytest.mark.parametrize("program", UNDERSTOOD)
def test_an_export_is_read_by_the_feed_that_is_drafted_from_it(program, tmp_path):
    sample = EXPORTS / f"{program}.csv"
    feed, doubts = new_feed(sample, tmp_path, "", None)
    names = next(csv.reader(io.StringIO(sample.read_text(encoding="utf-8")), delimiter=feed.delimiter or ","))
    fields = dict(zip(names, fields_of(names, feed.columns), strict=True))
    expected, doubts_here = UNDERSTOOD[program]
    further = {name: "ignore" for name, field in fields.items() if field and field not in FIELDS_HERE}
    assert {name: field for name, field in fields.items() if field and name not in further} == expected
    assert doubts == doubts_here or further
    feed = feed.model_copy(update={"columns": feed.columns | further})
    result = check(sample, feed, datetime.now(UTC))
    assert (result.code, result.counts.failed, result.counts.warnings) == (None, 0, 0)
    assert result.counts.read >= 2


def test_the_contract_names_the_columns_that_the_partner_sends(tmp_path):
    sample = tmp_path / "globex.csv"
    sample.write_text("Vorname;Nachname;E-Mail-Adresse\nAnn;Lee;ann@example.com\n")
    feed, _ = new_feed(sample, tmp_path, "", None)
    write_contract(feed, tmp_path)
    schema = json.loads((tmp_path / "globex.schema.json").read_text())
    assert {"Vorname", "Nachname", "E-Mail-Adresse"} <= {field["name"] for field in schema["fields"]}


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_an_archive_is_a_sample_too(tmp_path, pack):
    text = b"First Name,Email\nAnn,ann@example.com\n"
    sample = tmp_path / {"gzip": "acme_1.csv.gz", "zip": "acme_1.zip"}[pack]
    sample.write_bytes(gzip.compress(text) if pack == "gzip" else zipped(("acme.csv", text)))
    feed, doubts = new_feed(sample, tmp_path, "", None)
    assert (feed.name, feed.compression, doubts) == ("acme", pack, 0)
    assert check(sample, feed, datetime.now(UTC)).counts.read == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("kunden.txt", "does not end in .csv. Rename it, for example to “kunden.csv”."),
        ("kunden.CSV.part", "does not end in .csv. Rename it, for example to “kunden.csv”."),
        (".hidden.csv", "start with a dot are left alone. Rename it, for example to “hidden.csv”."),
        ("...csv", "Rename it, for example to “clients.csv”."),
        ("kunden.xlsx", "A .xlsx file is a spreadsheet."),
    ],
)
def test_a_sample_that_no_feed_would_take_says_how_to_rename_it(tmp_path, name, sentence):
    (tmp_path / name).write_text("First Name,Email\nAnn,ann@example.com\n")
    with pytest.raises(FileRefused, match=re.escape(sentence)):
        new_feed(tmp_path / name, tmp_path, "acme", None)
    assert not (tmp_path / "acme.yaml").exists()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "Acme", "a/b", "../a", "a\n", "1a", "größe"])
def test_a_name_that_no_feed_may_have_is_told_before_the_sample_is_read(tmp_path, name):
    with pytest.raises(FeedInvalid, match="is no name of a feed: small letters, digits and `_`, a letter first"):
        new_feed(tmp_path / "there_is_none.csv", tmp_path, name, None)
