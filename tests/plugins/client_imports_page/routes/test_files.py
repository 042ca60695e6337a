"""Files that the page offers for download."""

from __future__ import annotations

import csv
import io

from tests.plugins.page import ROOT


def test_a_template_can_be_imported_as_it_is(web, imported, clients):
    for layout in ("clients", "onboarding"):
        answer = web("olga").get(f"{ROOT}/templates/{layout}.csv")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 2
        imported(answer.content.decode("utf-8-sig"), name=f"{layout}.csv")
        assert clients()["ann.lee@example.com"]["last_name"] == "Lee"
