"""The README says what is true: its table of codes is the table the checks use."""

from __future__ import annotations

from include.codes import CODES
from include.settings import ROOT


def test_the_table_of_codes_in_the_readme_is_the_one_in_the_code():
    """To renew it, paste what this test expects."""
    table = "\n".join(f"| `{c.code}` | {c.about} | {c.title} | {c.to_do} |" for c in CODES.values())
    assert table in (ROOT / "README.md").read_text()
