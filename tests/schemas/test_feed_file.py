"""The text of a feed file: each fault has a sentence with its line, and cells' words are text as they are written."""

from __future__ import annotations

import pytest

from include.errors import FeedInvalid
from include.schemas.feed_file import LARGEST, read_keys

UNFOLDS_TO_GIGABYTES = "title: X\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)


def keys(tmp_path, text: str | bytes):
    path = tmp_path / "partner.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_keys(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty: a feed needs a `title` at least, for example `title: Acme`."),
        ("# nothing yet\n", "is empty: a feed needs a `title` at least"),
        ("---\n", "is empty: a feed needs a `title` at least"),
        ("[1]", "must hold keys and values, for example `title: Acme`."),
        ("title: X\n---\ntitle: Y", "holds more than one document: remove the line `---` and what follows."),
        ("title: X\ntitle: Y", "line 2 has the key `title` a second time: keep one of them."),
        (
            "title: X\nvalues:\n  desk:\n    Bo: a\n    Bo: b",
            "line 5 has the key `values.desk.Bo` a second time: keep one of them.",
        ),
        ("title: X\nhold: {failed_over: 0.1, failed_over: 0.2}", "line 2 has the key `hold.failed_over` a second time"),
        ("title: X\nhold:\n\tfailed_over: 0.5", "line 3 is indented with a tab: use spaces."),
        ("title: X\n  \tmode: upsert", "line 2 is indented with a tab: use spaces."),
        (UNFOLDS_TO_GIGABYTES, "line 3 refers to another value by `*`: write the value out, or put it in quotes."),
        ("title: &x [*x]", "line 1 refers to another value by `*`"),
        ("title: X\nfile_pattern: *.csv", "line 2 is not YAML"),
        ("title: X\nschedule: @daily", "text that holds one of the signs * & ! | > % @ # : [ ] { } or ` must stand in"),
        ("title: Acme: partner", "line 1 is not YAML"),
        ("title: [", "line 1 is not YAML"),
        ("title: " + "[" * 100_000, "line 1 is nested too deeply."),
        ("title: !!python/object:os.system x", "line 1 has a tag, `!…`: put the text in quotes."),
        ("title: X\nyes: no", "line 2 has a key that is not text: put it in quotes."),
        ("title: \x07", "holds control characters, which YAML does not allow."),
        ("title: Jos\xe9".encode("latin-1"), "is not UTF-8 text: save it as UTF-8."),
        ("title: X".encode("utf-16"), "is not UTF-8 text: save it as UTF-8."),
        ("title: X\n#" + "x" * LARGEST, "is too large: a feed file has at most 256 KiB."),
    ],
)
def test_a_fault_in_the_text_has_a_sentence_that_quotes_no_more_than_a_key(tmp_path, text, sentence):
    with pytest.raises(FeedInvalid) as error:
        keys(tmp_path, text)
    assert sentence in str(error.value) and len(str(error.value)) < len(str(tmp_path)) + 250


def test_all_repeated_keys_are_named_at_once(tmp_path):
    with pytest.raises(FeedInvalid) as error:
        keys(tmp_path, "title: X\ntitle: Y\nvalues: {type: {vip: a, vip: b}}")
    assert [sentence[:6] for sentence in error.value.sentences] == ["line 2", "line 3"]


def test_a_file_that_cannot_be_read_is_no_stack_trace(tmp_path):
    with pytest.raises(FeedInvalid, match=r"partner\.yaml: does not exist\."):
        read_keys(tmp_path / "partner.yaml")
    with pytest.raises(FeedInvalid, match=r"cannot be read: IsADirectoryError\."):
        read_keys(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    assert keys(tmp_path, b"\xef\xbb\xbftitle: X") == {"title": "X"}


def test_words_defaults_and_column_names_are_text_as_they_are_written(tmp_path):
    text = "values: {active: {yes: no, 1: 0}}\ndefaults: {created: 2024-01-01, desk: 674370809265190000000012}\n"
    assert keys(tmp_path, f"columns: {{12: email}}\n{text}") == {
        "columns": {"12": "email"},
        "values": {"active": {"yes": "no", "1": "0"}},
        "defaults": {"created": "2024-01-01", "desk": "674370809265190000000012"},
    }
    assert keys(tmp_path, "a: yes\nb: 12\nc: 1.5\nd: ~\ne: 'yes'\nf: 0x_\n") == {
        "a": True, "b": 12, "c": 1.5, "d": None, "e": "yes", "f": "0x_",
    }  # fmt: skip
