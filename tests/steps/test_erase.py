"""One person leaves every table and every file; counts, other people's rows and the client itself stay."""

from __future__ import annotations

import csv
import io
import os
import zipfile

import pytest
import sqlalchemy as sa

from include.adapters.database import erasure, ledger, remembered
from include.adapters.files import storage as storage_module
from include.adapters.files.storage import Storage
from include.errors import PersonNotNamed, StepFailed
from include.models import RunRequest
from include.schemas.feed import Notify
from include.schemas.mapping import Mapping
from include.steps import erase as erase_module
from include.steps.archive import archive
from include.steps.cancel import cancel
from include.steps.context import ImportContext
from include.steps.erase import ERASED, erase_person
from include.steps.forget import forget
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import receive
from include.steps.upload import UploadRequest, Writing
from include.steps.validate import validate
from tests.inboxes import all_files
from tests.steps.test_forget import LATER, Died, all_texts

ZOE, CAT = "66829b2e43c91e3ce480b6c4", "66829b2e43c91e3ce480b6c5"
HEADER = "ID,First Name,Last Name,Email,Desk\r\n"
# Row 1 is Zoe, row 3 is Zoe once more, row 5 fails and holds her address, row 6 fails for another reason.
ROWS = [
    f'{ZOE},"Zoémark\nsecond line",Zmark,Zoe.Mark@example.com,\r\n',
    ",Ben,,ben@example.com,\r\n",
    f"{ZOE},Zoëmark,Zmark,zoe.mark@example.com,\r\n",
    ",Joan,,joan-zoe.mark@example.com,\r\n",
    ",,Zmark,  ZOE.MARK@EXAMPLE.COM ,\r\n",
    ",,Éclair,eclair@example.com,\r\n",
]
MARKS = ("zmark", "zoe.mark@example", "zoëmark", "zoémark", ZOE + '"')


@pytest.fixture
def storage(folder_or_bucket):
    return folder_or_bucket


@pytest.fixture
def feeds(feed):
    return {"default": feed}


@pytest.fixture
def erase(engine, storage, feeds):
    return lambda **person: erase_person(engine, storage, feeds, **(person or {"email": "zoe.mark@example.com"}))


@pytest.fixture
def bring_zoe(bring):
    """An import that creates Zoe, Ben and Joan, and has a report of two failed rows, one of them Zoe's."""
    return lambda **keys: bring(HEADER + "".join(ROWS), **keys)


def left_of_zoe(engine: sa.Engine, storage: Storage, marks: tuple[str, ...] = MARKS) -> list[str]:
    """Where a mark of hers still stands, Joan's longer address aside."""
    texts = all_texts(engine, but=("clients",)).split("\n")
    for path, content in all_files(storage).items():
        texts += [path, *(content.decode(codec, "replace") for codec in ("utf-8", "utf-16-le", "cp1252"))]
    plain = [text.lower().replace("\0", "").replace("joan-zoe.mark@example.com", "") for text in texts]
    return [text for text in plain if any(mark in text for mark in marks)]


def counts(engine: sa.Engine) -> list[tuple]:
    columns = "id, state, code, read, created, updated, unchanged, duplicate, failed, warnings, sha256, state_times"
    with engine.connect() as connection:
        imports = connection.execute(sa.text(f"SELECT {columns} FROM imports ORDER BY arrival")).all()
        rows = connection.execute(sa.text("SELECT import_id, row, line, outcome FROM import_rows ORDER BY 1, 2")).all()
    return [tuple(row) for row in (*imports, *rows)]


@pytest.mark.parametrize("person", [{"email": " Zoe.MARK@Example.COM"}, {"client_id": ZOE}, {"client_id": ZOE.upper()}])
def test_nothing_of_the_person_is_left_anywhere_and_every_count_is(bring_zoe, engine, storage, erase, person, clients):
    result = bring_zoe()
    assert (result.counts.created, result.counts.duplicate, result.counts.failed) == (3, 1, 2)
    assert left_of_zoe(engine, storage)
    before, people = counts(engine), clients()
    erased = erase(**person)
    assert left_of_zoe(engine, storage) == []
    assert (counts(engine), clients()) == (before, people)
    assert (erased.imports, erased.cells, erased.problems, erased.images, erased.files) == (1, 2, 2, 1, 1)
    assert erased.left == erased.unread == ()
    sentences = " ".join(erased.sentences())
    assert "Counts stay. The client itself stays in `clients`" in sentences and "mails that were sent" in sentences
    assert "zoe" not in (sentences + repr(erased)).lower()


def test_the_words_of_mappings_and_the_address_of_a_sender_are_forgotten(engine, storage, feed, erase):
    context = ImportContext.of(feed.model_copy(update={"notify": Notify(uploader=True)}), engine, storage)
    (storage.root / "inbox").mkdir(parents=True)
    said = Mapping(columns={"zoe.mark@example.com": "ignore"}, values={"desk": {"Zoe.Mark@example.com": "default"}})

    def send(text, **keys):
        request = UploadRequest("zoe", "clients.csv", mapping=said, email="Zoe.Mark@example.com", **keys)
        with Writing(context, request) as writing:
            writing.write(text)
            return writing.finish()

    cancel(context, send(b"Email\n", note="by zoe.mark@example.com").id, "zoe")
    send(b"First Name,Email,zoe.mark@example.com,Desk\nBen,ben@example.com,x,zoe.mark@EXAMPLE.com\n")
    send(b"First Name,Email\nJoan,joan@example.com\n")
    for name in ("default", "acme"):
        remembered.remember(engine, name, said, "olga", LATER)
    for entry in receive(context, RunRequest("zoe", dag_id="d", run_id="r")):
        for step in (validate, prepare, merge, archive):
            step(context, entry.id)
    assert len(left_of_zoe(engine, storage)) > 8
    erase()
    assert left_of_zoe(engine, storage) == [] and remembered.entries(engine) == []
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT email FROM uploads")).all() == [None] * 3


def test_the_ledger_says_that_the_file_was_deleted(bring_zoe, engine, storage, erase):
    entry = ledger.find(engine, bring_zoe().import_id)
    assert entry.file_path in all_files(storage) and entry.message is None
    erase()
    entry = ledger.find(engine, entry.id)
    assert entry.file_path is None and entry.message == ERASED
    assert list(all_files(storage)) == [entry.report_path]


def test_the_report_is_written_again_without_the_person_and_imports(bring, bring_zoe, engine, storage, erase, clients):
    result = bring_zoe()
    erase()
    text = storage.read(result.report).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["Last Name"], row["_row"], row["_line"]) == ("Éclair", "6", "8")
    assert row["_problems"] == "First name is blank, and every client needs one."
    corrected = bring(text.replace("\r\n,,Éclair", "\r\n,Eve,Éclair").encode("utf-8-sig"))
    assert corrected.counts.created == 1 and "eclair@example.com" in clients()
    assert ledger.find(engine, corrected.import_id).parent_import_id == result.import_id


def test_a_report_of_the_person_alone_is_deleted(bring, engine, storage, erase):
    result = bring(HEADER + ",,Zmark,zoe.mark@example.com,\r\n,Ben,,ben@example.com,\r\n")
    assert erase().files == 2 and all_files(storage) == {}
    assert ledger.find(engine, result.import_id).report_path is None


@pytest.mark.parametrize("person", [{}, {"client_id": ZOE}])
def test_a_dry_run_keeps_no_planned_change_of_the_person(bring, engine, storage, erase, person):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,zoe.mark@example.com,\r\n")
    changed = bring(HEADER + f"{ZOE},Zoëmark,Zmark,zoe.mark@example.com,\r\n,Ben,,ben@example.com,\r\n", dry_run=True)
    new = bring(HEADER + ",Ben,,ben@example.com,\r\n", dry_run=True)
    assert "Zoëmark" in storage.read(changed.planned).decode()
    erase(**person)
    assert left_of_zoe(engine, storage) == []
    assert ledger.find(engine, changed.import_id).planned_path is None
    assert ledger.find(engine, new.import_id).planned_path in all_files(storage)


def test_a_dry_run_of_a_person_who_is_no_client_keeps_no_planned_change(bring, engine, storage, erase):
    dry = bring(HEADER + ",Zoëmark,Zmark,zoe.mark@example.com,\r\n", dry_run=True)
    assert "Zmark" in storage.read(dry.planned).decode()
    erase()
    assert left_of_zoe(engine, storage) == [] and all_files(storage) == {}


def test_the_report_of_a_refused_file_goes_whole_because_it_has_good_rows_too(bring_zoe, engine, storage, erase):
    refused = bring_zoe(on_failed_rows="refuse_file")
    assert refused.code == "FILE_FAILED_ROWS" and "Zoëmark" in storage.read(refused.report).decode()
    assert erase().files == 2
    assert left_of_zoe(engine, storage) == [] and all_files(storage) == {}
    assert ledger.find(engine, refused.import_id).message == f"Rows failed. {ERASED}"


def test_a_file_that_names_the_client_only_in_an_unchanged_row_is_deleted(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,zoe.mark@example.com,\r\n")
    unchanged = bring(f"ID,First Name,Email\n{ZOE},Zoemark,zoe.mark@example.com\n")
    assert unchanged.counts.unchanged == 1
    erase(client_id=ZOE)
    assert left_of_zoe(engine, storage) == [] and all_files(storage) == {}


def test_a_file_that_holds_the_address_in_a_column_that_was_ignored_is_deleted(bring, engine, storage, erase):
    bring("First Name,Email,Referred by\nBen,ben@example.com,zoe.mark@example.com\n")
    other = bring("First Name,Email,Referred by\nEve,eve@example.com,ben@example.com\n")
    assert (erase().files, left_of_zoe(engine, storage)) == (1, [])
    assert list(all_files(storage)) == [ledger.find(engine, other.import_id).file_path]


def test_erasing_again_changes_nothing(bring_zoe, engine, storage, erase):
    bring_zoe()
    erase()
    before = all_texts(engine), all_files(storage)
    again = erase()
    assert (again.imports, again.cells, again.problems, again.images, again.files) == (0,) * 5
    assert (all_texts(engine), all_files(storage)) == before


def test_a_second_person_loses_only_their_own_values(bring_zoe, engine, storage, erase):
    bring_zoe()
    erase()
    second = erase(email="ben@example.com")
    assert (second.imports, second.cells, second.images, second.files) == (1, 0, 1, 0)
    texts = all_texts(engine, but=("clients",))
    assert "Joan" in texts and "Éclair" in texts and "ben@" not in texts


def test_every_address_that_the_client_had_counts(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n")
    bring(HEADER + f"{ZOE},Zoemark,Zmark,new.zmark@example.com,\r\n")
    bring(HEADER + ",,Zmark,old.zmark@example.com,\r\n,,Other,other@example.com,\r\n")
    assert erase(email="new.zmark@example.com").left == ()
    assert left_of_zoe(engine, storage) == []


def test_an_address_that_no_client_has_stands_for_the_client_that_had_it_last(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n")
    bring(HEADER + f"{ZOE},Zoemark,Zmark,new.zmark@example.com,\r\n")
    bring(HEADER + ",,Zmark,new.zmark@example.com,\r\n")
    erase(email="old.zmark@example.com")
    assert left_of_zoe(engine, storage) == []


def test_an_address_that_the_client_was_only_planned_to_have_stays_its_owners(bring, engine, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,zoe.mark@example.com,\r\n{CAT},Cat,,cat@example.com,\r\n")
    swapped = f"{ZOE},Zoemark,Zmark,cat@example.com,\r\n{CAT},Cat,,zoe.mark@example.com,\r\n"
    assert bring(HEADER + swapped, dry_run=True).counts.updated == 2
    cats = bring("First Name,Email\n,cat@example.com\n")
    erase(client_id=ZOE)
    assert ledger.find(engine, cats.import_id).file_path


def test_images_of_other_clients_that_held_the_address_go_whole(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,zoe.mark@example.com,\r\n,Ben,,ben@example.com,\r\n")
    bring(HEADER + f"{ZOE},,Zmark,z@example.com,\r\n{CAT},Cat,,cat@example.com,\r\n")
    bring(HEADER + f"{ZOE},Zoemark,Zmark,z2.zmark@example.com,\r\n{CAT},Cat,,zoe.mark@example.com,\r\n")
    erase(client_id=ZOE)
    assert left_of_zoe(engine, storage) == []
    with engine.connect() as connection:
        images = connection.execute(sa.text("SELECT before, after FROM client_changes")).all()
    assert [(before, after) for before, after in images if before is None and after is None] == [(None, None)] * 3
    assert sorted(after["first_name"] for _, after in images if after) == ["Ben", "Cat"]


@pytest.mark.parametrize("written", ["ZOE@BÜCHER.example.com", "zoe@xn--bcher-kva.example.com"])
def test_the_address_is_found_however_it_is_written(bring, engine, storage, erase, written):
    bring(f'First Name,Email,Last Name\nAnn,ann@example.com,\n,"{written}",Zmark\n')
    erase(email="zoe@bücher.example.com")
    assert left_of_zoe(engine, storage, ("zmark", "zo")) == []
    assert "ann@example.com" in all_texts(engine, but=("clients",))


@pytest.mark.parametrize("written", ["zoe.mark@example.com.au", "azoe.mark@example.com", "zoe.mark+a@example.com"])
def test_an_address_that_only_looks_alike_is_another_persons(bring, engine, storage, erase, written):
    bring(f"First Name,Email\n,{written}\nAnn,ann@example.com\nAnn,{written}\n")
    bring(f"Name,Address\nAnn,{written}\n")
    before = all_texts(engine), all_files(storage)
    assert erase().imports == 0
    assert (all_texts(engine), all_files(storage)) == before


@pytest.mark.parametrize("local", ["zoe_mark%x", "zoe'mark", "zoe|mark", "zoe.*mark", "zoémark", "zoe+mark"])
def test_signs_that_mean_something_to_a_database_or_a_pattern_are_letters(bring, engine, storage, erase, local):
    bring(f"First Name,Email,Last Name\nZoe,{local}@example.com,Zmark\n,{local.upper()}@example.com,Zmark\n")
    bring("First Name,Email,Last Name\n,zoeXmarkYx@example.com,Other\n")
    erase(email=f"{local}@example.com")
    assert left_of_zoe(engine, storage, ("zmark", local)) == []
    assert "zoeXmarkYx" in all_texts(engine, but=("clients",))


def test_a_row_whose_problem_only_names_the_client_keeps_its_cells(bring, engine, storage, erase):
    bring("ID,First Name,Email,Username\n" + f"{ZOE},Zoemark,zoe.mark@example.com,zoe\n")
    named = bring("First Name,Email,Username\nBen,ben@example.com,zoe\n")
    assert f"taken by client {ZOE}" in all_texts(engine)
    assert erase().cells == 0
    assert f"taken by client {ZOE}" not in all_texts(engine, but=("clients",))
    report = storage.read(named.report).decode("utf-8-sig")
    assert "Ben,ben@example.com,zoe" in report and "USERNAME_TAKEN" in report and ZOE not in report


def test_a_note_that_names_the_person_goes_and_the_file_stays(bring, engine, storage, erase):
    entry = ledger.find(engine, bring("First Name,Email\nBen,ben@example.com\n").import_id)
    ledger.change(engine, entry.id, note="Sent by Zoe.Mark@example.com")
    assert (erase().imports, left_of_zoe(engine, storage)) == (1, [])
    assert list(all_files(storage)) == [ledger.find(engine, entry.id).file_path]


def test_a_file_named_after_the_person_loses_its_name(bring, bring_zoe, engine, storage, erase):
    first = bring_zoe(file_name="clients_Zoe.Mark@example.com.csv")
    whole = HEADER + "".join(ROWS[:4])
    bring(whole, file_name="all_of_Zoe.Mark@example.com.csv")
    again = bring(whole)
    assert again.code == "FILE_ALREADY_IMPORTED" and "Zoe.Mark" in again.message
    erase()
    entry = ledger.find(engine, first.import_id)
    assert entry.file_name == "forgotten.csv" and list(all_files(storage)) == [entry.report_path]
    assert left_of_zoe(engine, storage) == [] and "zoe" not in entry.report_path.lower()


POINTS = [
    (erasure, "forget_rows", 1), (erasure, "forget_rows", 3), (Storage, "write_report", 1),
    (Storage, "delete_files", 1), (Storage, "delete_files", 3), (storage_module, "delete_folder", 2),
    (ledger, "change", 1), (ledger, "change", 4),
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place, name, time", POINTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_process_killed_anywhere_is_finished_by_the_next(
    bring, bring_zoe, engine, storage, erase, monkeypatch, place, name, time, after
):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n,,Zmark,old.zmark@example.com,\r\n")
    bring_zoe()
    bring("zoe.mark@example.com,x\n" + ROWS[0], file_name="zoe.mark@example.com.csv")
    bring(HEADER + ",,Zmark,old.zmark@example.com,\r\n")
    real, calls = getattr(place, name), iter(range(1, 100))

    def die(*args: object, **keys: object) -> object:
        if next(calls) != time:
            return real(*args, **keys)
        if after:
            real(*args, **keys)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(place, name, die)
        with pytest.raises(Died):
            erase()
    assert left_of_zoe(engine, storage)
    erase()
    assert left_of_zoe(engine, storage) == []
    assert not list((storage.root / "staging").iterdir())
    assert len(all_files(storage)) == 1  # the report of the row that is not hers
    entries = ledger.remembered(engine)
    assert len(entries) == 4 and all(each.file_path is None and ERASED in each.message for each in entries)


def test_a_refused_file_that_holds_the_person_is_deleted_and_others_stay(bring, engine, storage, erase):
    html = bring("<html><p>Zmark zoe.mark@example.com</p>")
    too_many = bring(HEADER + "".join(ROWS), max_records=2)
    without_header = bring("Zmark,zoe.mark@example.com\nBen,ben@example.com\n")
    other = bring("<html><p>ben@example.com</p>")
    assert {each.state for each in (html, too_many, without_header, other)} == {"refused"}
    erased = erase()
    assert (erased.files, erased.imports, erased.unread) == (3, 3, ())
    assert left_of_zoe(engine, storage) == []
    assert list(all_files(storage)) == [ledger.find(engine, other.import_id).file_path]
    entry = ledger.find(engine, without_header.import_id)
    assert entry.file_path is None and entry.message == f"A required column is missing. {ERASED}"


@pytest.mark.parametrize("encoding, promised", [("utf-16", None), ("cp1252", "cp1252"), ("cp1252", None)])
def test_a_refused_file_is_searched_in_the_feeds_encoding_and_in_others(
    bring, engine, storage, feed, encoding, promised
):
    bring(("Naïve," + HEADER + "".join(ROWS)).encode(encoding), encoding=promised, max_records=2)
    assert erase_person(engine, storage, {"default": feed.model_copy(update={"encoding": promised})}, client_id=ZOE)
    assert left_of_zoe(engine, storage) == [] and all_files(storage) == {}


def test_a_huge_refused_file_is_named_and_never_opened(bring, engine, storage, erase, monkeypatch):
    refused = bring(HEADER + "x" * 2000, max_bytes=1000)
    entry = ledger.find(engine, refused.import_id)
    assert refused.code == "FILE_TOO_LARGE"
    if isinstance(storage.root, os.PathLike):
        os.truncate(storage.root / entry.file_path, 3 * 1024**3)
    else:
        monkeypatch.setattr(erase_module, "MOST_SEARCHED", 2000)
    monkeypatch.setattr(erase_module, "opened", None)
    before = all_texts(engine)
    erased = erase()
    assert erased.unread == (refused.import_id,) and refused.import_id in erased.sentences()[-1]
    assert all_texts(engine) == before


def test_a_file_that_the_ledger_knows_is_never_opened(bring, bring_zoe, erase, monkeypatch):
    bring_zoe()
    bring(HEADER + ",Eve,,eve@example.com,\r\n,Noname,,eve,\r\n")
    monkeypatch.setattr(erase_module, "opened", None)
    assert erase().imports == 1


def test_an_archive_that_cannot_be_searched_is_named(bring, erase):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("clients.csv", HEADER + "".join(ROWS) * 9)
    refused = bring(archive.getvalue())
    assert refused.code == "FILE_NOT_CSV"
    erased = erase()
    assert erased.unread == (refused.import_id,) and refused.import_id in erased.sentences()[-1]


@pytest.mark.parametrize("state", ["received", "prepared", "held", "failed"])
def test_imports_that_are_held_or_on_their_way_are_left_alone_and_named(bring_zoe, engine, storage, feed, erase, state):
    bring_zoe()
    context = ImportContext.of(feed, engine, storage)
    storage.inbox("default").mkdir(parents=True)
    for name, rows in (("zoe.csv", ROWS), ("ben.csv", ROWS[1:2])):
        (storage.inbox("default") / name).write_bytes((HEADER + "".join(rows)).encode())
    entries = {entry.file_name: entry.id for entry in receive(context, RunRequest("test", dag_id="d", run_id="r"))}
    for import_id in entries.values():
        ledger.change(engine, import_id, state=state, read=0)
    staged = {name: content for name, content in all_files(storage).items() if name.startswith("staging")}
    erased = erase()
    assert erased.left == (entries["zoe.csv"],) and entries["zoe.csv"] in erased.sentences()[-1]
    assert {name: content for name, content in all_files(storage).items() if name.startswith("staging")} == staged
    assert erased.imports == 1
    ledger.change(engine, entries["zoe.csv"], state="discarded")
    assert erase().left == () and left_of_zoe(engine, storage) == []


def test_an_import_that_was_merged_and_not_filed_is_on_its_way(bring_zoe, engine, erase):
    import_id = bring_zoe().import_id
    ledger.change(engine, import_id, filed=False)
    assert erase().left == (import_id,)


def test_retention_goes_on_after_an_erasure(bring_zoe, engine, storage, feeds, erase):
    import_id = bring_zoe().import_id
    erase()
    assert forget(engine, storage, feeds, LATER).files == 1
    assert all_files(storage) == {} and ledger.find(engine, import_id).message == ERASED


@pytest.mark.parametrize("person", [{"email": "nobody"}, {"client_id": "12"}, {}, {"email": ""}])
def test_what_names_no_person_is_an_error_that_does_not_repeat_it(engine, storage, feeds, person):
    with pytest.raises(PersonNotNamed) as raised:
        erase_person(engine, storage, feeds, **person)
    assert "nobody" not in str(raised.value)


def test_an_error_names_no_value_and_no_file(bring_zoe, erase, monkeypatch):
    bring_zoe()

    def broken(*_: object, **__: object) -> None:
        raise PermissionError(13, "no", "archive/zoe.mark@example.com.csv")

    monkeypatch.setattr(Storage, "delete_files", broken)
    with pytest.raises(StepFailed) as raised:
        erase()
    assert str(raised.value) == "forget failed: Permission denied in archive" and raised.value.__suppress_context__
