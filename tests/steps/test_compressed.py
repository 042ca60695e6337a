"""A feed of archives: files are unpacked while they are read, and kept as they were received."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

import pytest

from include.adapters.database import ledger
from include.adapters.files.storage import Storage
from include.models import RunRequest
from include.schemas.feed import Feed
from include.steps.archive import archive
from include.steps.changed_files import give_back_late_writes
from include.steps.check import check
from include.steps.context import ImportContext
from include.steps.erase import erase_person
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.preview import preview
from include.steps.receive import receive
from include.steps.result_file import result_file
from include.steps.validate import validate
from tests.transforms.csv_reading.test_unpacking import zipped

CSV = b"First Name,Email,Notes\nAnn,ann@example.com,x\n,ben@example.com,y\n"
PACKED = {"gzip": ("clients.csv.gz", gzip.compress(CSV, mtime=0)), "zip": ("clients.zip", zipped(("clients.csv", CSV)))}


@pytest.mark.parametrize("compression", PACKED)
def test_an_archive_is_imported_from_every_inbox_and_filed_as_it_was_received(
    feed, engine, place, clients, compression
):
    name, packed = PACKED[compression]
    context = ImportContext.of(
        feed.model_copy(update={"inbox": place.inbox, "compression": compression}), engine, place.storage
    )
    place.put(name, packed)
    (entry,) = receive(context, RunRequest(dag_id="d", run_id="r"))
    for step in (validate, prepare, merge, archive):
        step(context, entry.id)
    done = ledger.find(engine, entry.id)
    assert (done.counts.created, done.counts.failed, set(clients())) == (1, 1, {"ann@example.com"})
    assert (done.bytes, done.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert done.file_path.endswith(name[-3:]) and place.storage.read(done.file_path) == packed
    assert b"ben@example.com" in place.storage.read(done.report_path)
    assert b"ann@example.com" in b"".join(result_file(context, done)), "read from the archive again"
    give_back_late_writes(context)
    assert place.everything() == [] and place.files("staging") == []


def test_a_report_is_corrected_as_a_plain_file_on_a_feed_of_archives_too(bring, storage, clients):
    name, packed = PACKED["gzip"]
    first = bring(packed, file_name=name, compression="gzip")
    report = (storage.root / first.report).read_bytes().replace(b"\r\n,ben", b"\r\nBen,ben")
    assert bring(report, file_name="clients.failed.csv", compression="gzip").counts.created == 1
    again = bring(gzip.compress(report), file_name="again.gz", compression="gzip")
    assert again.counts.unchanged == 1 and len(clients()) == 2


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv.gz", PACKED["gzip"][1][:-5], "FILE_NOT_UNPACKED"),
        ("a.gz", gzip.compress(gzip.compress(CSV)), "FILE_NOT_CSV"),
        ("a.gz", gzip.compress(b"\n" * (8 << 20)), "FILE_NOT_UNPACKED"),
        ("a.csv", PACKED["gzip"][1], "FILE_NOT_CSV"),
        ("a.zip", PACKED["zip"][1], "FILE_NAME"),
    ],
    ids=["cut", "an archive in an archive", "too much inside", "named as a CSV", "a zip"],  # gzip's bytes hold a time
)
def test_another_archive_is_refused_and_kept(bring, storage, engine, name, content, code):
    result = bring(content, file_name=name, compression="gzip")
    assert (result.state, result.code) == ("refused", code), result.message
    assert storage.read(ledger.find(engine, result.import_id).file_path) == content


@pytest.mark.parametrize("compression", PACKED)
def test_without_the_key_an_archive_is_refused_by_its_name_and_the_key_is_named(bring, compression):
    name, packed = PACKED[compression]
    result = bring(packed, file_name=name)
    assert result.code == "FILE_NAME"
    assert f"Unpack the archive first, or let the feed unpack it (key `compression: {compression}`)." in result.message


def test_the_command_line_and_the_check_before_sending_unpack_too(feed, engine, tmp_path):
    packs = feed.model_copy(update={"compression": "zip"})
    name, packed = PACKED["zip"]
    (tmp_path / name).write_bytes(packed)
    now = datetime.now(UTC)
    assert check(tmp_path / name, packs, now).counts.read == 2
    found = preview(name, tmp_path / name, packs, engine, now)
    assert (found.plan.counts.created, found.plan.counts.failed) == (1, 1) and found.rows[0][0] == "Ann"


def test_a_person_is_found_in_an_archive_that_was_refused(bring, engine, storage: Storage, feed: Feed):
    many = feed.model_copy(update={"compression": "gzip"})
    refused = bring(gzip.compress(b"Shoe size,Email\n1,zoe@example.com\n"), file_name="z.gz", compression="gzip")
    broken = bring(gzip.compress(b"Shoe size,Email\n1,zoe@example.com\n")[:-4], file_name="y.gz", compression="gzip")
    erased = erase_person(engine, storage, {"default": many}, email="zoe@example.com")
    assert (erased.files, erased.unread) == (1, (broken.import_id,))
    assert ledger.find(engine, refused.import_id).file_path is None
