"""A feed drafted from another program's export reads that export: the files have the header lines of the programs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from include.settings import ROOT
from include.steps.check import check
from include.steps.new_feed import new_feed
from include.transforms.csv_reading.headers import fields_of

EXPORTS = ROOT / "tests" / "data" / "exports"
NAMES_AND_EMAIL = {"First Name": "first_name", "Last Name": "last_name", "Email": "email"}
# For each program: what its columns are read as, and how many lines of the feed a person should look at.
UNDERSTOOD = {
    "espocrm": ({"firstName": "first_name", "lastName": "last_name", "emailAddress": "email"}, 1),
    "freshsales": ({"First name": "first_name", "Last name": "last_name", "Emails": "email"}, 1),
    "google_contacts": (
        {"First Name": "first_name", "Middle Name": "middle_name", "Last Name": "last_name",
         "E-mail 1 - Value": "email"}, 0),
    "hubspot": (NAMES_AND_EMAIL, 0),
    "mailchimp": ({"First Name": "first_name", "Last Name": "last_name", "Email Address": "email"}, 0),
    "outlook": (
        {"First Name": "first_name", "Middle Name": "middle_name", "Last Name": "last_name",
         "E-mail Address": "email"}, 0),
    "pipedrive": (
        {"Person - First name": "first_name", "Person - Last name": "last_name", "Person - Email - Work": "email"}, 3),
    "salesforce": (NAMES_AND_EMAIL, 0),
    "shopify_customers": (NAMES_AND_EMAIL, 0),
    "stripe_customers": ({"Name": "first_name", "Email": "email"}, 2),
    "suitecrm": ({"First Name": "first_name", "Last Name": "last_name", "Email Address": "email"}, 1),
    "zoho_crm": (NAMES_AND_EMAIL, 0),
}  # fmt: skip


def test_each_export_is_in_the_table():
    assert {path.stem for path in EXPORTS.iterdir()} == UNDERSTOOD.keys()


@pytest.mark.parametrize("program", UNDERSTOOD)
def test_an_export_is_read_by_the_feed_that_is_drafted_from_it(program, tmp_path):
    sample = EXPORTS / f"{program}.csv"
    feed, doubts = new_feed(sample, tmp_path, "", None)
    names = next(csv.reader(io.StringIO(sample.read_text(encoding="utf-8")), delimiter=feed.delimiter or ","))
    fields = dict(zip(names, fields_of(names, feed.columns), strict=True))
    assert ({name: field for name, field in fields.items() if field}, doubts) == UNDERSTOOD[program]
    result = check(sample, feed, datetime.now(UTC))
    assert (result.code, result.counts.failed, result.counts.warnings) == (None, 0, 0)
    assert result.counts.read >= 2
