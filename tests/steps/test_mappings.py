"""A file is read by what its sender says of its columns and words, or by what its feed remembers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from include.adapters.database import ledger, remembered
from include.models import RunRequest
from include.schemas.mapping import Mapping
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.preview import preview
from include.steps.receive import receive
from include.steps.upload import UploadRequest, Writing
from include.steps.validate import validate
from tests.conftest import LONDON

NOW = datetime(2026, 11, 26, tzinfo=UTC)
# No synonym knows these names and words.
GERMAN = (
    "Rufname laut Pass;Postadresse digital;Standort;Kundenstatus;Sorte\n"
    "Änne;aenne@example.com;Hauptstadtbüro;läuft;Haushalt\n"
    "Jörg;joerg@example.com;;ruht;Haushalt\n"
)
MAPPING = Mapping(
    columns={
        "Rufname laut Pass": "first_name", "Postadresse digital": "email", "Standort": "desk",
        "Kundenstatus": "active", "Sorte": "type",
    },
    values={
        "desk": {"Hauptstadtbüro": LONDON}, "active": {"läuft": "true", "ruht": "false"},
        "type": {"Haushalt": "personal"},
    },
)  # fmt: skip


@pytest.fixture
def context(engine, storage, feed):
    (storage.root / "inbox").mkdir(parents=True)
    return ImportContext.of(feed, engine, storage)


def upload(context, text, mapping=None):
    """Send a file, and let any run of the feed claim it."""
    with Writing(context, UploadRequest("olga", "kunden.csv", mapping=mapping or Mapping())) as writing:
        writing.write(text.encode())
        writing.finish()
    return receive(context, RunRequest(dag_id="d", run_id=str(datetime.now(UTC))))[-1].id


def notes(context, import_id):
    return [problem["message"] for problem in ledger.find(context.engine, import_id).file_problems]


def test_a_file_that_no_synonym_knows_is_imported_by_the_mapping_that_travels_with_it(context, engine, clients):
    import_id = upload(context, GERMAN, MAPPING)
    for step in (validate, prepare, merge):
        step(context, import_id)
    entry = ledger.find(engine, import_id)
    assert (entry.state, entry.counts.created, entry.counts.failed) == ("merged", 2, 0)
    assert Mapping.kept(entry.mapping) == MAPPING
    found = clients()
    assert found["aenne@example.com"]["desk"] == LONDON and found["joerg@example.com"]["active"] is False


def test_what_is_remembered_reads_the_next_file_of_the_feed_and_is_recorded(context, engine, bring, clients):
    remembered.remember(engine, "default", MAPPING, "olga", NOW)
    result = bring(GERMAN)
    assert (result.state, result.counts.created) == ("merged", 2)
    assert Mapping.kept(ledger.find(engine, result.import_id).mapping) == MAPPING
    remembered.forget(engine, "default")
    assert bring(GERMAN.replace("Jörg", "Georg")).code == "FILE_MISSING_COLUMN"


def test_the_feed_comes_first_then_the_sender_then_what_is_remembered(engine, bring, feed):
    remembered.remember(engine, "default", Mapping(columns={"A": "last_name", "B": "middle_name"}), "olga", NOW)
    result = bring("First Name,Email,A,B\nAnn,ann@example.com,x,y\n", columns={"A": "ignore"})
    assert ledger.find(engine, result.import_id).mapping["columns"] == {"B": "middle_name"}
    said = Mapping(columns={"B": "last_name"}).over(remembered.of_feed(engine, "default"))
    assert said.columns == {"B": "last_name", "A": "last_name"}


def test_an_old_or_broken_mapping_never_stops_a_file_and_says_what_it_left_out(context, engine, bring):
    old = Mapping(
        columns={"Gone": "last_name", "Email": "username"},
        values={"desk": {"Madrid": "a" * 24}, "type": {"Firma": "company"}},
    )
    remembered.remember(engine, "default", old, "olga", NOW)
    result = bring("First Name,Email,Desk\nAnn,ann@example.com,\nBen,ben@example.com,Madrid\n")
    assert (result.counts.created, result.counts.failed) == (1, 1)
    assert "No desk is called “Madrid”." in [problem.message for problem in result.problems]
    said = " ".join(notes(context, result.import_id))
    for words in ("“Gone”, which the file does not have", "“Email” was left out", "“Madrid” (Desk)", "“Firma” (Type)"):
        assert words in said
    assert {p["severity"] for p in ledger.find(engine, result.import_id).file_problems} == {"note"}


def test_a_corrected_report_is_read_by_the_mapping_of_its_import(context, engine, storage, clients):
    import_id = upload(context, GERMAN.replace("joerg@example.com", "joerg"), MAPPING)
    for step in (validate, prepare, merge, archive):
        step(context, import_id)
    entry = ledger.find(engine, import_id)
    assert entry.counts.failed == 1
    report = storage.read(entry.report_path).decode("utf-8-sig")
    corrected = upload(context, report.replace(";joerg;", ";joerg@example.com;"))
    for step in (validate, prepare, merge):
        step(context, corrected)
    child = ledger.find(engine, corrected)
    assert (child.state, child.counts.created, child.parent_import_id) == ("merged", 1, import_id)
    assert Mapping.kept(child.mapping) == MAPPING


def test_a_check_suggests_the_likeliest_fields_and_meanings_and_offers_the_others(engine, feed, tmp_path):
    path = tmp_path / "kunden.csv"
    path.write_text(
        "Vorname des Kunden;Elektropost;Aktiv;Kundentyp;Standort\nÄnne;aenne@example.com;ja;Firma;\n"
        "Jörg;joerg@example.com;vielleicht;Privat;\n",
        encoding="utf-8",
    )
    found = preview(path.name, path, feed, engine, NOW, suggest=True)
    assert [column.field for column in found.columns] == ["first_name", "email", "active", "type", None]
    assert found.mapping["columns"]["Elektropost"] == "email"
    assert found.mapping["values"] == {"active": {"ja": "true"}, "type": {"Firma": "business", "Privat": "personal"}}
    assert (found.plan.counts.created, found.plan.counts.failed) == (1, 1)
    assert ("vielleicht", "") in [(word.word, word.likely) for word in found.words]
    assert ("true", "yes") in found.choices["active"]
    assert any(name.startswith("London") for _, name in found.choices["desk"])
    nothing = preview(path.name, path, feed, engine, NOW)
    assert nothing.refusal.code == "FILE_MISSING_COLUMN" and len(nothing.columns) == 5


def test_a_mapping_that_came_as_text_is_judged(engine):
    assert Mapping.of_json(json.dumps(MAPPING.model_dump())) == MAPPING
    for text in ('{"columns": {"A": "nothing"}}', "[]", "{", '{"more": 1}', '{"columns": {"A": 1}}', '"' + "x" * 8000):
        with pytest.raises(ValueError, match=r"."):
            Mapping.of_json(text)
