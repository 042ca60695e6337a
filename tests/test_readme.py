"""The README says what is true: its table of codes is the table the checks use."""

from __future__ import annotations

import re

from include.codes import Code
from include.settings import ROOT

README = ROOT / "README.md"


def with_table_of_codes(text: str) -> str:
    rows = "".join(f"| `{c}` | {c.about} | {c.title} | {c.advice} |\n" for c in Code)
    return re.sub(r"(?<=\|---\|---\|---\|---\|\n)(?:\| `[A-Z_]+` \|.*\n)+", lambda _: rows, text)


def test_the_table_of_codes_in_the_readme_is_the_one_in_the_code():
    """`make codes` renews it."""
    text = README.read_text()
    assert with_table_of_codes(text) == text and "`FILE_NAME`" in text


if __name__ == "__main__":
    README.write_text(with_table_of_codes(README.read_text()))
