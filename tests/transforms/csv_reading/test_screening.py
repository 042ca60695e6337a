"""What is no CSV is known by its content, and what is CSV is never taken for something else."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from include.codes import Code
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.records import read_records
from include.transforms.csv_reading.screening import check_name
from include.transforms.csv_reading.text import Text

FEED = Feed(name="x", title="X")
GOOD = b"First Name,Email\r\nAnn,ann@example.com\r\n"


def archive(member: str = "a.csv", content: bytes = GOOD) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(member, content)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        info = tarfile.TarInfo("a.csv")
        info.size = len(GOOD)
        made.addfile(info, io.BytesIO(GOOD))
    return buffer.getvalue()


BINARIES = {
    "zip": archive(),
    "xlsx": archive("xl/workbook.xml"),
    "zip bomb": archive(content=bytes(10_000_000)),
    "gzip": gzip.compress(GOOD),
    "gzip in bzip2": bz2.compress(gzip.compress(GOOD)),
    "bzip2": bz2.compress(GOOD),
    "xz": lzma.compress(GOOD),
    "tar": tar(),
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(range(64)),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(range(64)),
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(50),
    "exe": b"MZ\x90\x00\x03\x00\x00\x00" + bytes(range(100)),
    "class": b"\xca\xfe\xba\xbe\x00\x00\x00\x41" + bytes(range(60)),
    "wasm": b"\x00asm\x01\x00\x00\x00" + bytes(range(60)),
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00",
    "webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "sqlite": b"SQLite format 3\x00\x10\x00\x01\x01\x00",
    "zstd": b"(\xb5/\xfd\x04\x00" + bytes(range(60)),
    "mp3": b"ID3\x03\x00\x00\x00\x00\x00\x0f" + bytes(60),
    "only NUL": bytes(100),
    "NUL in a cell": GOOD + b"B\x00b,b@example.com\n",
    "utf-16 without mark": GOOD.decode().encode("utf-16-le"),
}
TEXTS = {
    "html": "<!DOCTYPE html>\n<html><body><table><tr><td>First Name,Email</td>",
    "html after blank lines": "\n\n  <HTML>",
    "xml": '<?xml version="1.0"?><clients/>',
    "xml with comments": "<?xml ?>" + "<!---->" * 400,
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "php": "<?php system($_GET['c']); ?>\nFirst Name,Email\n",
    "short php": "<?= 1 ?>",
    "shell": "#!/bin/sh\nrm -rf /\n",
    "batch": "@echo off\r\ndel *.*\r\n",
    "python": "import os\nos.system('id')\n",
    "javascript": "var a = new ActiveXObject('WScript.Shell');\n",
    "powershell": "$client = New-Object System.Net.WebClient\n",
    "vba": 'Attribute VB_Name = "Module1"\nSub AutoOpen()\n',
    "rtf": "{\\rtf1\\ansi First Name,Email}",
    "postscript": "%!PS-Adobe-3.0\n",
    "ascii pdf": "%PDF-1.4\n1 0 obj\n",
    "gif as text": "GIF89a,First Name,Email\nx,Ann,ann@example.com\n",
    "sylk": "ID;PWXL;N;E\nP;PGeneral\nC;Y1;X1;K\"First Name\"\nE\n",
    "mail": "From: a@example.com\nTo: b@example.com\nSubject: clients\n\nFirst Name,Email\n",
    "mbox": "From a@example.com Thu Jan  1 00:00:00 2026\n",
    "json": '[{"First Name": "Ann", "Email": "ann@example.com"}]',
    "vcard": "BEGIN:VCARD\nVERSION:3.0\nN:Lee;Ann\n",
    "ldif": "dn: cn=Ann,dc=example,dc=com\nmail: ann@example.com\n",
    "sql": "INSERT INTO clients VALUES ('Ann','ann@example.com');\n",
    "pem": "-----BEGIN CERTIFICATE-----\nMIIB\n",
    "eicar": "First Name,Email\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*,a@example.com\n",
}  # fmt: skip


@pytest.mark.parametrize("content", BINARIES.values(), ids=BINARIES.keys())
@pytest.mark.parametrize("encoding", [None, "cp1252", "latin-1", "shift_jis"])
def test_binary_content_is_no_csv_in_whatever_encoding_the_feed_speaks(content, encoding):
    with pytest.raises(FileRefused) as refused:
        read_records(decode(content, encoding), FEED)
    assert refused.value.code == "FILE_NOT_CSV"


@pytest.mark.parametrize("name", ["zip", "gzip", "7z", "rar", "xls", "elf", "png", "jpeg", "zstd"])
def test_binary_content_behind_a_good_beginning_is_found_and_its_line_named(name):
    with pytest.raises(FileRefused) as refused:
        decode(GOOD * 1000 + BINARIES[name])
    assert (refused.value.code, refused.value.line) == ("FILE_NOT_CSV", 2001), str(refused.value)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_other_text_formats_are_known_by_how_they_begin(text):
    with pytest.raises(FileRefused) as refused:
        read_records(decode(text.encode()), FEED)
    assert refused.value.code == "FILE_NOT_CSV"


def test_a_refusal_says_what_the_content_is_in_plain_words():
    with pytest.raises(FileRefused, match="it is a ZIP archive or an Excel, Word or OpenDocument file"):
        decode(BINARIES["xlsx"])
    with pytest.raises(FileRefused, match="line 1: .* it looks like a PHP script"):
        read_records(Text(TEXTS["php"].encode(), "utf-8"), FEED)


@pytest.mark.parametrize(
    "header",
    [
        "ID;Project;First Name;Email", "From;First Name;Email", "MZ,First Name,Email", "PK,Email,First Name",
        "BMI;Email;First Name", "Client User,First Name,Email", "[x],First Name,Email", "Subject,Date,First Name,Email",
        "import,First Name,Email", "Rar!,First Name,Email", "ID3,First Name,Email", "$id,First Name,Email",
    ],
)  # fmt: skip
def test_a_header_that_begins_like_another_format_is_still_a_header(header):
    cells = {"First Name": "Ann\u00e9", "Email": "ann@example.com"}
    delimiter = ";" if ";" in header else ","
    row = delimiter.join(cells.get(name, "") for name in header.split(delimiter))
    (piece,) = read_records(decode(f"{header}\n{row}\n".encode()), FEED).pieces
    assert len(piece.lines) == 1


@pytest.mark.parametrize(
    "name", ["", ".csv", "x.csv ", "x.csv.exe", "x.txt", "../x.csv", "a/b.csv", "a\\b.csv", "a\tb.csv", "a\x00.csv",
             "x\u202evsc.csv", "a.cſv", "a\u200b.csv", "\u2028.csv", "x.csv\n"]
)  # fmt: skip
def test_a_name_that_is_not_one_plain_csv_name_is_refused(name):
    with pytest.raises(FileRefused) as refused:
        check_name(name)
    assert refused.value.code == "FILE_NAME"


@pytest.mark.parametrize("name", ["clients.xlsx", "CLIENTS.XLS", "a.csv.ods"])
def test_the_name_of_a_spreadsheet_gets_the_advice_that_its_content_gets(name):
    with pytest.raises(FileRefused) as refused:
        check_name(name)
    assert refused.value.message.endswith("is a spreadsheet. " + Code.FILE_NOT_CSV.advice)


@pytest.mark.parametrize("name", ["x.csv", "X.CSV", "clients 2026-01 (2).csv", "Zürich.csv", "=1+1.csv", "名前.csv"])
def test_a_plain_name_is_taken_in_any_language(name):
    check_name(name)
