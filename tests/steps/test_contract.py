"""What a partner gets in writing is what the importer does, and the standards' own libraries read it."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime

import frictionless
import jsonschema
import markdown_it
import pytest
import yaml
from frictionless.console import console
from open_data_contract_standard.model import OpenDataContractStandard
from typer.testing import CliRunner

from include.cli import app
from include.schemas.feed import Feed
from include.schemas.feed_folder import find_feed
from include.settings import ROOT
from include.steps.check import check
from include.steps.contract import write_contract
from include.transforms.contract.page import check_command
from include.transforms.matching.references import Desk, ReferenceData
from tests.conftest import LONDON, PROJECT

MANY = {
    "encoding": "cp1252", "delimiter": ";", "skip_first_lines": 2, "skip_last_lines": 1, "date_format": "%d.%m.%y %H:%M",
    "columns": {"Kunden-Mail": "email", "ID": "ignore", "Rufname (*)": "first_name"}, "clear_word": None,
    "values": {"desk": {"Büro | 1": LONDON}, "active": {"ja": "yes", "nein": "no"}, "username": {"-": ""}},
    "require_count_file": True, "expected_every": "26h", "duplicates": "reject", "on_failed_rows": "refuse_file",
    "answer": True, "compression": "zip",
}  # fmt: skip
FEEDS = {
    "acme": find_feed(ROOT / "include" / "feeds", "acme"),
    "default": Feed(name="default", title="Manual uploads"),
    "globex": Feed.of_file(ROOT / "globex.yaml", {"title": "Globex | <b>", "schedule": "watch", **MANY}),
    "slim": Feed(name="slim", title="Slim", mode="update_only", write={"email": "never"}),
}


@pytest.fixture(params=FEEDS)
def written(request, tmp_path):
    feed = FEEDS[request.param]
    return feed, {path.name.removeprefix(f"{feed.name}."): path for path in write_contract(feed, tmp_path / "contract")}


def test_the_example_is_imported_without_a_failed_row(written, bring):
    feed, files = written
    content = files["example.csv"].read_bytes()
    if feed.mode == "update_only":
        bring(content)
    keys = feed.model_dump(exclude={"name", "title", "inbox", "hold", "notify"})
    result = bring(content, **keys, dry_run=True, force=True)
    assert (result.code, result.counts.read, result.counts.failed, result.counts.warnings) == (None, 2, 0, 0)
    if feed.require_count_file:
        assert files["example.csv.count"].read_text() == "2\n"


def test_a_partner_checks_a_file_with_the_command_of_the_page(written, monkeypatch):
    feed, files = written
    monkeypatch.chdir(files["md"].parent)
    assert check_command(feed, "YOUR_FILE.csv") in files["md"].read_text(encoding="utf-8")
    content = files["example.csv"].read_bytes()
    footer = content.splitlines(keepends=True)[: -feed.skip_last_lines or None]
    files["example.csv"].with_name("good.csv").write_bytes(b"".join(footer))
    files["example.csv"].with_name("bad.csv").write_bytes(b"".join(footer).replace(b"ann.lee@example.com", b"ann.lee"))
    results = [
        CliRunner().invoke(console, shlex.split(check_command(feed, name))[1:]) for name in ("good.csv", "bad.csv")
    ]
    assert [result.exit_code for result in results] == [0, 1], results[0].output


def test_both_standards_have_the_file_as_their_own(written):
    feed, files = written
    contract = yaml.safe_load(files["odcs.yaml"].read_text(encoding="utf-8"))
    jsonschema.validate(contract, json.loads(OpenDataContractStandard.json_schema()))
    read = OpenDataContractStandard.from_file(str(files["odcs.yaml"]))
    schema = frictionless.Schema.from_descriptor(str(files["schema.json"]))
    assert [p.physicalName for p in read.schema_[0].properties] == schema.field_names
    assert ("ID" in schema.field_names) is (feed.columns.get("ID") != "ignore")
    assert {f.name for f in schema.fields if f.required} == {
        "acme": {"First Name", "E-mail"}, "default": {"First Name", "Email"},
        "globex": {"Rufname (*)", "Kunden-Mail"}, "slim": set(),
    }[feed.name]  # fmt: skip


def errors_in(file, paths):
    with frictionless.system.use_context(trusted=True):
        return frictionless.validate(str(file), schema=str(paths[1]), dialect=str(paths[2])).task.errors


CELLS = {
    "ID": ["6655aa10caa3558dd8f8da99", " 6655AA10CAA3558DD8F8DA99 ", "", "K-1", "6655aa10caa3558dd8f8da9"],
    "First Name": ["Ann", " Zoë ", "a,b", "", "  ", "x" * 100, "x" * 101],
    "Last Name": ["", "x" * 100, "x" * 101, "#CLEAR"],
    "Email": ["a@example.com", "jörg@exämple.de", "o'neil+x@sub.example.co.uk", "", "a", "a@b@example.com", "a b@example.com"],
    "Username": ["", "abc", "ab", "x" * 64, "x" * 65],
    "Project": ["", "default", "Default", "6655aa10caa3558dd8f8da99"],
    "Active": ["", "yes", "NO", "True", " 1 ", "ja", "2"],
    "Type": ["", "personal", "BUSINESS", "vip"],
    "Created": ["", "2024-01-31", "2024-01-31T10:30:00Z", "2024-01-31 10:30", "2024-01-31T10:30:00+01:00", "31.01.2024"],
}  # fmt: skip


def test_the_schema_judges_cells_as_the_importer_does(tmp_path):
    feed = FEEDS["default"]
    paths = write_contract(feed, tmp_path)
    good = {"First Name": "Ann", "Email": "unique{}@example.com"}
    rows = [(name, cell) for name, cells in CELLS.items() for cell in cells]
    file = tmp_path / "cells.csv"
    with file.open("w", encoding="utf-8") as text:
        text.write(",".join(CELLS) + "\n")
        for number, (name, cell) in enumerate(rows):
            cells = [cell if name == each else good.get(each, "").format(number) for each in CELLS]
            text.write(",".join(f'"{each}"' for each in cells) + "\n")
    failed = {p.row for p in check(file, feed, datetime.now(UTC)).problems if p.severity == "error" and p.row}
    told = {error.row_number - 1 for error in errors_in(file, paths)}
    assert {rows[n - 1] for n in failed} == {rows[n - 1] for n in told}
    assert len(failed) == 16


def test_a_required_column_that_is_missing_is_told_by_the_schema_too(tmp_path):
    paths = write_contract(FEEDS["default"], tmp_path)
    file = tmp_path / "file.csv"
    file.write_text("first name,Shoe size\nAnn,1\n")
    assert [(error.type, error.field_name) for error in errors_in(file, paths)] == [("missing-label", "Email")]


def test_the_command_writes_where_the_caller_says(tmp_path):
    done = CliRunner().invoke(app, ["contract", "acme", "--folder", str(tmp_path / "for acme")])
    names = ["acme.md", "acme.schema.json", "acme.dialect.json", "acme.odcs.yaml", "acme.example.csv"]
    assert done.stdout.splitlines() == [str(tmp_path / "for acme" / name) for name in names]
    assert CliRunner().invoke(app, ["contract", "none"]).exit_code == 2


def test_what_a_feed_asks_beyond_columns_is_on_the_page(tmp_path):
    text = write_contract(FEEDS["globex"], tmp_path)[0].read_text(encoding="utf-8")
    for words in (
        "A name that ends in `.zip` is a zip archive of one CSV file.", "cp1252", "Semicolon.", "every 26 hours",
        "2 lines above the header and 1 line below the table are left out", "`NAME.csv.count` with the number of its records",
        "the whole file is refused", "`NAME.receipt.json`", "Several rows with one ID or e-mail fail.",
        "| `Desk` | `Büro \\| 1` |", "such as `31.01.24 10:30`",
    ):  # fmt: skip
        assert words in text


ODD = "a|b ``c` <img src=x>\n`````\n[y](javascript:z): & *d*"


def test_nothing_of_a_feeds_words_or_of_the_crm_is_markup_on_the_page_or_changes_a_standards_file(tmp_path):
    feed = Feed(
        name="odd", title=ODD, values={"desk": {ODD: LONDON}, "active": {ODD: "yes"}}, columns={ODD: "email"},
        file_pattern="`|*.csv",
    )  # fmt: skip
    files = {path.name.removeprefix("odd."): path for path in write_contract(feed, tmp_path, with_desk_called(ODD))}
    page = files["md"].read_text()
    html = markdown_it.MarkdownIt().enable("table").render(page)
    assert "<img" not in html and "<a " not in html and "<em>" not in html
    assert {line.count("<td") for line in re.findall("<tr>.*?</tr>", html, re.DOTALL)} == {0, 2, 3}
    contract = yaml.safe_load(files["odcs.yaml"].read_text())
    words = {p["name"]: [each["value"] for each in p.get("enum", ())] for p in contract["schema"][0]["properties"]}
    assert words["active"][0] == ODD.replace("\n", "\n") and contract["name"] == ODD
    assert [field["name"] for field in json.loads(files["schema.json"].read_text())["fields"]][4] == ODD


def with_desk_called(name):
    return ReferenceData({PROJECT: "Default"}, PROJECT, {LONDON: Desk(LONDON, PROJECT, name, True)})


def test_words_are_explained_by_name_where_the_crm_was_asked(tmp_path):
    feed = Feed(name="named", title="Named", values={"desk": {"LDN": LONDON.upper()}})
    for data, meant in ((with_desk_called("London"), "London"), (None, LONDON.upper())):
        write_contract(feed, tmp_path, data)
        assert f"| `Desk` | `LDN` | {meant} |" in (tmp_path / "named.md").read_text()


@pytest.mark.parametrize(
    ("keys", "sentences"),
    [
        ({}, ["One CSV file with clients; its first line is the header.", "such as 31.02.:"]),
        ({"skip_first_lines": 1}, ["line 2 is the header", "1 line above the header is left out."]),
        ({"skip_last_lines": 1}, ["1 line below the table is left out.", "Remove the last line for the check"]),
        ({"skip_first_lines": 2, "skip_last_lines": 2},
         ["line 3 is the header", "2 lines above the header and 2 lines below the table are left out.",
          "Remove the last 2 lines for the check"]),
    ],
)  # fmt: skip
def test_the_page_says_where_the_table_is_and_what_the_check_does_not_see(tmp_path, keys, sentences):
    page = write_contract(Feed(name="lines", title="Lines", **keys), tmp_path)[0].read_text()
    assert [sentence for sentence in sentences if sentence not in page] == []
