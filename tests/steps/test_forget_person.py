"""One person leaves every table and every file; everybody else's bytes stay as they were."""

from __future__ import annotations

import io
import zipfile

import pytest
import sqlalchemy as sa

from include.adapters.database import erasure, ledger
from include.adapters.files.paths import is_there
from include.adapters.files.storage import Storage
from include.errors import PersonNotNamed, StepFailed
from include.models import RunRequest
from include.steps.context import ImportContext
from include.steps.erase import erase_person
from include.steps.receive import receive
from tests.inboxes import all_files
from tests.steps.test_forget import Died, all_texts

ZOE = "66829b2e43c91e3ce480b6c4"
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
OTHERS = [1, 3, 5]
MARKS = ("zmark", "zoe.mark@example", "zoëmark", "zoémark", ZOE + '"')


@pytest.fixture
def storage(folder_or_bucket):
    return folder_or_bucket


@pytest.fixture
def feeds(feed):
    return {"default": feed}


@pytest.fixture
def erase(engine, storage, feeds):
    return lambda **who: erase_person(engine, storage, feeds, **(who or {"email": "zoe.mark@example.com"}))


def left_of_zoe(engine: sa.Engine, storage: Storage, marks: tuple[str, ...] = MARKS) -> list[str]:
    """Where a mark of hers still stands, Joan's longer address aside."""
    found = all_texts(engine, but=("clients",)).split("\n")
    for path, content in all_files(storage).items():
        found.append(path)
        found += [content.decode(codec, "replace") for codec in ("utf-8", "utf-16-le", "cp1252")]
    texts = [text.lower().replace("\0", "").replace("joan-zoe.mark@example.com", "") for text in found]
    return [text for text in texts if any(mark in text for mark in marks)]


def counts(engine: sa.Engine) -> list[tuple]:
    columns = "id, state, code, read, created, updated, unchanged, duplicate, failed, warnings, sha256, state_times"
    with engine.connect() as connection:
        imports = connection.execute(sa.text(f"SELECT {columns} FROM imports ORDER BY arrival")).all()
        rows = connection.execute(sa.text("SELECT import_id, row, line, outcome FROM import_rows ORDER BY 1, 2")).all()
    return [tuple(row) for row in (*imports, *rows)]


@pytest.mark.parametrize("who", [{"email": " Zoe.MARK@Example.COM"}, {"client_id": ZOE}, {"client_id": ZOE.upper()}])
def test_nothing_of_the_person_is_left_anywhere_and_every_count_is(bring, engine, storage, erase, who, clients):
    result = bring(HEADER + "".join(ROWS))
    assert (result.counts.created, result.counts.duplicate, result.counts.failed) == (3, 1, 2)
    assert left_of_zoe(engine, storage)
    before, people = counts(engine), clients()
    done = erase(**who)
    assert left_of_zoe(engine, storage) == []
    assert (counts(engine), clients()) == (before, people)
    assert (done.imports, done.cells, done.problems, done.images, done.records, done.files) == (1, 2, 2, 1, 4, 0)
    assert done.left == done.unread == ()
    said = " ".join(done.sentences())
    assert "Counts stay. The client itself stays in `clients`" in said and "mails that were sent" in said
    assert "zoe" not in (said + repr(done)).lower()


@pytest.mark.parametrize(
    "encoding, said",
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252"), ("utf-16-be", "utf-16-be")],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_all_other_records_stay_byte_for_byte(bring, storage, engine, feed, encoding, said, end):
    rows = [row.replace("\r\n", end) for row in ROWS]
    bring((HEADER.replace("\r\n", end) + "".join(rows)).encode(encoding), encoding=said)
    before = all_files(storage)
    erase_person(engine, storage, {"default": feed.model_copy(update={"encoding": said})}, client_id=ZOE)
    after = all_files(storage)
    assert left_of_zoe(engine, storage) == [] and before.keys() == after.keys()
    archived, reported = sorted(after)
    kept = [row if n in OTHERS else end for n, row in enumerate(rows)]
    kept[0] = "\n" + end  # the record had two lines
    assert after[archived] == (HEADER.replace("\r\n", end) + "".join(kept)).encode(encoding)
    lines = before[reported].split(b"\r\n")
    assert after[reported] == b"\r\n".join([lines[0], b"", *lines[2:]])


def test_erasing_again_changes_nothing_and_a_second_person_loses_only_the_own_rows(bring, engine, storage, erase):
    bring(HEADER + "".join(ROWS))
    erase()
    before = all_texts(engine), all_files(storage)
    again = erase()
    assert (again.imports, again.cells, again.problems, again.images, again.records, again.files) == (0,) * 6
    assert (all_texts(engine), all_files(storage)) == before
    assert erase(email="ben@example.com").records == 1
    text = "".join(all_files(storage)[name].decode("utf-8-sig") for name in sorted(all_files(storage)))
    assert "Joan" in text and "Éclair" in text and "Ben" not in text


def test_earlier_addresses_are_found_by_the_clients_images_and_by_its_records_in_files(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n")
    bring(HEADER + f"{ZOE},Zoemark,Zmark,new.zmark@example.com,\r\n")
    bring(HEADER + ",,Zmark,old.zmark@example.com,\r\n,,Other,other@example.com,\r\n")
    assert erase(email="new.zmark@example.com").left == ()
    assert left_of_zoe(engine, storage) == []


def test_an_address_only_in_the_file_of_an_unchanged_row_is_learned_from_that_file(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n")
    unchanged = bring("First Name,Last Name,Email\nZoemark,Zmark,old.zmark@example.com\nZoe,,no@example.org\n")
    bring(",".join(["First Name", "Email"]) + "\n,OLD.zmark@example.com\n")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE import_rows SET before = NULL, after = NULL"))
        connection.execute(sa.text("UPDATE clients SET email = 'n@example.com', email_key = 'n@example.com' "
                                   "WHERE id = :id"), {"id": ZOE})  # fmt: skip
    assert unchanged.counts.unchanged == 1
    erase(client_id=ZOE)
    assert left_of_zoe(engine, storage) == []


def test_images_of_other_clients_that_held_the_address_go_whole(bring, engine, storage, erase):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,zoe.mark@example.com,\r\n,Ben,,ben@example.com,\r\n")
    other = "66829b2e43c91e3ce480b6c5"
    bring(HEADER + f"{ZOE},,Zmark,z@example.com,\r\n{other},Cat,,cat@example.com,\r\n")
    bring(HEADER + f"{ZOE},Zoemark,Zmark,z2.zmark@example.com,\r\n{other},Cat,,zoe.mark@example.com,\r\n")
    erase(client_id=ZOE)
    assert left_of_zoe(engine, storage) == []
    with engine.connect() as connection:
        images = connection.execute(sa.text("SELECT client_id, before, after FROM client_changes")).all()
    erased = [(before, after) for _, before, after in images if before is None or after is None]
    assert len([pair for pair in erased if pair == (None, None)]) == 3
    assert sorted(after["first_name"] for before, after in erased if after) == ["Ben", "Cat"]


@pytest.mark.parametrize(
    "written",
    ["zoe@xn--bcher-kva.example.com", "ZOE@BÜCHER.example.com", "zoe @ bücher.example.com", "zo\u200be@bu\u0308cher.example.com",
     "Zmark <zoe@bücher.example.com>", "mailto:zoe@bücher.example.com", "a@example.com; zoe@bücher.example.com"],
)  # fmt: skip
def test_the_address_is_found_in_every_form(bring, engine, storage, erase, written):
    bring(f'First Name,Email,Last Name\nAnn,ann@example.com,\n,"{written}",Zmark\n')
    erase(email="zoe@bücher.example.com")
    assert left_of_zoe(engine, storage, ("zmark", "zo")) == []
    assert "ann@example.com" in all_texts(engine, but=("clients",))


@pytest.mark.parametrize(
    "written", ["zoe.mark@example.com.au", "azoe.mark@example.com", "zoe.mark+a@example.com", "zoe.mark@example.comx"]
)
def test_an_address_that_only_looks_alike_is_another_persons(bring, engine, storage, erase, written):
    bring(f"First Name,Email\n,{written}\nAnn,ann@example.com\nAnn,{written}\n")
    before = all_texts(engine), all_files(storage)
    assert erase().imports == 0
    assert (all_texts(engine), all_files(storage)) == before


POINTS = [
    (Storage, "write_whole", 1), (Storage, "write_whole", 2), (Storage, "write_whole", 4),
    (erasure, "forget_rows", 1), (erasure, "forget_images", 1), (ledger, "change", 1),
]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place, name, time", POINTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_worker_killed_anywhere_is_finished_by_the_next(
    bring, engine, storage, erase, monkeypatch, place, name, time, after
):
    bring(HEADER + f"{ZOE},Zoemark,Zmark,old.zmark@example.com,\r\n,,Zmark,old.zmark@example.com,\r\n")
    bring(HEADER + "".join(ROWS))
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


def test_a_refused_file_that_is_no_csv_and_holds_the_person_goes_whole(bring, engine, storage, erase):
    refused = bring("<html><p>Zmark zoe.mark@example.com</p>")
    other = bring("<html><p>ben@example.com</p>")
    without_header = bring("Zmark,zoe.mark@example.com\nBen,ben@example.com\n")
    assert {each.state for each in (refused, other, without_header)} == {"refused"}
    done = erase()
    assert (done.files, done.records, done.imports) == (2, 0, 2)
    assert left_of_zoe(engine, storage) == [] and len(all_files(storage)) == 1
    assert ledger.find(engine, without_header.import_id).file_path is None
    assert ledger.find(engine, without_header.import_id).message == "A required column is missing"


def test_a_refused_csv_loses_only_the_persons_records(bring, engine, storage, erase):
    refused = bring(HEADER + "".join(ROWS), max_records=2)
    assert refused.code == "FILE_TOO_MANY_RECORDS"
    assert (erase().records, left_of_zoe(engine, storage)) == (3, [])
    assert b"Joan" in next(iter(all_files(storage).values()))


def test_a_file_refused_for_its_size_is_searched_too(bring, engine, storage, feed):
    refused = bring(HEADER + ROWS[0] + "x" * 2000, max_bytes=1000)
    assert refused.code == "FILE_TOO_LARGE"
    small = {"default": feed.model_copy(update={"max_bytes": 1000})}
    assert erase_person(engine, storage, small, client_id=ZOE).files == 1
    assert all_files(storage) == {}


def test_an_archive_that_cannot_be_searched_is_named(bring, storage, erase):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("clients.csv", HEADER + "".join(ROWS) * 9)
    refused = bring(archive.getvalue())
    assert refused.code == "FILE_NOT_CSV"
    done = erase()
    assert done.unread == (refused.import_id,) and refused.import_id in done.sentences()[-1]


def test_a_file_named_after_the_person_gets_another_name(bring, engine, storage, erase):
    first = bring(HEADER + "".join(ROWS), file_name="clients_Zoe.Mark@example.com.csv")
    again = bring(HEADER + "".join(ROWS))
    assert again.code == "FILE_ALREADY_IMPORTED" and "Zoe.Mark" in again.message
    erase()
    entry = ledger.find(engine, first.import_id)
    assert entry.file_name == "forgotten.csv" and is_there(storage.root / entry.file_path)
    assert is_there(storage.root / entry.report_path)
    assert left_of_zoe(engine, storage) == [] and not [name for name in all_files(storage) if "zoe" in name.lower()]


@pytest.mark.parametrize("state", ["received", "prepared", "held", "failed"])
def test_imports_that_are_held_or_on_their_way_are_left_alone_and_named(bring, engine, storage, feed, erase, state):
    bring(HEADER + "".join(ROWS))
    context = ImportContext.of(feed, engine, storage)
    storage.inbox("default").mkdir(parents=True)
    for name, rows in (("zoe.csv", ROWS), ("ben.csv", ROWS[1:2])):
        (storage.inbox("default") / name).write_bytes((HEADER + "".join(rows)).encode())
    entries = {entry.file_name: entry.id for entry in receive(context, RunRequest("test", dag_id="d", run_id="r"))}
    for import_id in entries.values():
        ledger.change(engine, import_id, state=state, read=0)
    staged = {name: content for name, content in all_files(storage).items() if name.startswith("staging")}
    done = erase()
    assert done.left == (entries["zoe.csv"],) and entries["zoe.csv"] in done.sentences()[-1]
    assert {name: content for name, content in all_files(storage).items() if name.startswith("staging")} == staged
    assert done.records == 4
    ledger.change(engine, entries["zoe.csv"], state="discarded")
    assert erase().left == () and left_of_zoe(engine, storage) == []


def test_an_import_that_was_merged_and_not_filed_is_on_its_way(bring, engine, erase):
    import_id = bring(HEADER + "".join(ROWS)).import_id
    ledger.change(engine, import_id, filed=False)
    assert erase().left == (import_id,)


def test_a_row_whose_problem_only_names_the_client_keeps_its_cells(bring, engine, erase):
    bring("ID,First Name,Email,Username\n" + f"{ZOE},Zoemark,zoe.mark@example.com,zoe\n")
    bring("First Name,Email,Username\nBen,ben@example.com,zoe\n")
    assert f"taken by client {ZOE}" in all_texts(engine)
    assert erase().cells == 0
    texts = all_texts(engine, but=("clients",))
    assert f"taken by client {ZOE}" not in texts
    assert '[""Ben"", ""ben@example.com"", ""zoe""]' in texts


@pytest.mark.parametrize("who", [{"email": "nobody"}, {"client_id": "12"}, {}, {"email": ""}])
def test_whom_nobody_can_be_is_an_error_that_does_not_repeat_it(engine, storage, feeds, who):
    with pytest.raises(PersonNotNamed) as raised:
        erase_person(engine, storage, feeds, **who)
    assert "nobody" not in str(raised.value)


def test_a_fault_names_no_value_and_no_file(bring, engine, storage, erase, monkeypatch):
    bring(HEADER + "".join(ROWS))

    def broken(*_: object) -> None:
        raise PermissionError(13, "no", "archive/zoe.mark@example.com.csv")

    monkeypatch.setattr(Storage, "write_whole", broken)
    with pytest.raises(StepFailed) as raised:
        erase()
    assert str(raised.value) == "forget failed: PermissionError" and raised.value.__suppress_context__


@pytest.mark.parametrize("local", ["zoe_mark%x", "zoe'mark", "zoe|mark", "zoe.*mark", "zoémark", "zoe+mark"])
def test_signs_that_mean_something_to_a_database_or_a_pattern_are_letters(bring, engine, storage, erase, local):
    bring(f"First Name,Email,Last Name\nZoe,{local}@example.com,Zmark\n,{local.upper()}@example.com,Zmark\n")
    bring("First Name,Email,Last Name\n,zoeXmarkYx@example.com,Other\n")
    erase(email=f"{local}@example.com")
    assert left_of_zoe(engine, storage, ("zmark", local)) == []
    assert "zoeXmarkYx" in all_texts(engine, but=("clients",))
