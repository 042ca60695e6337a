"""Write the template files that people fill in: both published layouts, each with one row that can be imported."""

from __future__ import annotations

import csv
import io

from include.schemas.client_rows import FIELDS, Field
from include.schemas.feed_words import DEFAULT

# Both published layouts (SPEC.md section 3), with the field of each column. A new field is in the first.
LAYOUTS = {
    "clients": {each.headers[0]: each for each in FIELDS.values() if each.name not in ("middle_name", "username")},
    "onboarding": {
        "firstName": FIELDS["first_name"], "email": FIELDS["email"], "username": FIELDS["username"],
        "middleName": FIELDS["middle_name"], "lastName": FIELDS["last_name"],
    },
}  # fmt: skip


def template(layout: str) -> bytes:
    """Write the template of a layout of `LAYOUTS`, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(LAYOUTS[layout])
    writer.writerow(_example(field) for field in LAYOUTS[layout].values())
    return text.getvalue().encode("utf-8-sig")


def _example(field: Field) -> str:
    return DEFAULT if field.kind == "reference" else field.example
