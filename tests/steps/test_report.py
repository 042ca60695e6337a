"""The failed-row report goes out, is corrected, comes back, and is linked to where it came from."""

from __future__ import annotations

import csv
import io

import sqlalchemy as sa

FILE = (
    "First Name,Email,Shoe size\n"
    "Ann,ann@example.com,40\n"
    '"=HYPERLINK(""http://evil.example"")",eve@example.com,41\n'
    ",nameless@example.com,+1\n"
    "Ben,ben@example\n"
)


def read(storage, result):
    content = (storage.root / result.report).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_report_has_the_original_cells_and_every_reason_and_runs_nothing(bring, storage):
    result = bring(FILE)
    formula, nameless, ragged = read(storage, result)
    assert formula["First Name"] == '\'=HYPERLINK("http://evil.example")' and formula["_codes"] == "CELL_EXECUTABLE"
    assert (nameless["Shoe size"], nameless["_row"], nameless["_line"]) == ("'+1", "3", "4")
    assert nameless["_problems"] == "First name is blank, and every client needs one."
    assert (ragged["First Name"], ragged["Email"], ragged["_cells"]) == ("", "", "Ben | ben@example")


def test_a_corrected_report_imports_what_was_corrected_and_is_linked_to_its_parent(bring, storage, engine, clients):
    first = bring(FILE)
    text = (storage.root / first.report).read_bytes().decode("utf-8-sig")
    corrected = text.replace("\r\n,nameless@", "\r\nNora,nameless@")
    second = bring(corrected.encode("utf-8-sig"))
    assert (second.counts.read, second.counts.created, second.counts.failed) == (3, 1, 2)
    assert sorted({p.code for p in second.problems}) == ["CELL_EXECUTABLE", "COLUMN_UNKNOWN", "ROW_RAGGED"]
    assert set(clients()) == {"ann@example.com", "nameless@example.com"}
    with engine.connect() as connection:
        query = sa.text("SELECT CAST(parent_import_id AS text) FROM imports WHERE id = :id")
        assert connection.scalar(query, {"id": second.import_id}) == first.import_id


def test_a_file_without_failed_rows_has_no_report(bring):
    assert bring("First Name,Email\nAnn,ann@example.com\n").report is None


def again(bring, storage, result):
    """The report of a report, sent back as it is, any number of times."""
    return bring((storage.root / result.report).read_bytes(), force=True)


def test_a_report_of_a_report_still_has_the_cells_that_were_sent(bring, storage, engine, clients):
    text = "First Name,Email,Active,Notes\n-,+ann@example.com,maybe,-x\n=1+1,b@example.com,yes,'=q\n"
    first = bring(text)
    second = again(bring, storage, first)
    third = again(bring, storage, second)
    for result in (first, second, third):
        rows = read(storage, result)
        assert [(r["First Name"], r["Email"], r["Notes"]) for r in rows] == [
            ("'-", "'+ann@example.com", "'-x"), ("'=1+1", "b@example.com", "''=q"),
        ]  # fmt: skip
    corrected = (storage.root / third.report).read_bytes().decode("utf-8-sig").replace("maybe", "yes")
    bring(corrected.encode("utf-8-sig"))
    assert {c["email"]: c["first_name"] for c in clients().values()} == {"+ann@example.com": "-"}


def test_a_row_that_fitted_no_columns_stays_failed_until_somebody_writes_it_into_them(bring, storage, clients):
    first = bring('First Name,Email\nAnn,Lee,ann@example.com\n"Ben" Low,ben@example.com\n')
    for _ in range(3):
        first = again(bring, storage, first)
        assert [p.code for p in first.problems if p.severity == "error"] == ["ROW_RAGGED"] * 2 and clients() == {}
        assert [r["_cells"] for r in read(storage, first)] == [
            "Ann | Lee | ann@example.com",
            '"Ben" Low | ben@example.com',
        ]
    text = (storage.root / first.report).read_bytes().decode("utf-8-sig")
    corrected = text.replace("\r\n,,1,", "\r\nAnn Lee,ann@example.com,1,")
    assert bring(corrected.encode("utf-8-sig")).counts.created == 1


def test_an_alias_that_a_spreadsheet_would_run_is_found_again_in_the_report(bring, storage, clients):
    columns = {"@mail": "email"}
    first = bring("First Name,@mail\nAnn,bad\n", columns=columns)
    corrected = (storage.root / first.report).read_bytes().replace(b"bad", b"ann@example.com")
    assert bring(corrected, columns=columns).counts.created == 1
