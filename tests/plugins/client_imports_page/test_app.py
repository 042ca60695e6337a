"""What holds for every answer of the page: errors, security headers, hostile text."""

from __future__ import annotations

import re

from tests.plugins.page import ROOT, send

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_parameter_that_is_no_text_or_no_time_is_reported_and_is_no_system_error(web):
    admin = web("admin")
    for path in ("/?q=%00", "/?q=a%40b%00", "/run?dag_id=x&run_id=%00", "/task?dag_id=import_clients__acme&run_id=%00"):
        answer = admin.get(ROOT + path)
        assert answer.status_code == 422 and "Not understood" in answer.text, path
    assert admin.post(f"{ROOT}/client", data={"q": "a@b\0"}).status_code == 422
    assert admin.get(f"{ROOT}/?until=9999-12-31").status_code == 200
    assert admin.get(f"{ROOT}/static/{'a' * 300}.css").status_code == 404
    assert send(admin, **{"idempotency-key": ""}).status_code == 422


def test_every_answer_forbids_inline_scripts_and_no_page_has_one(web, imported):
    import_id = imported(f"First Name,Email,Last Name\n,x@example.com,{HOSTILE}\n", name="a'onload=alert(1)'.csv")
    admin = web("admin")
    for path in (
        "/",
        f"/imports/{import_id}",
        "/client",
        "/nothing",
        f"/imports/{import_id}/failed-rows.csv",
        "/static/page.js",
    ):
        answer = admin.get(ROOT + path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff" and "cache-control" in answer.headers
        if "text/html" in answer.headers["content-type"]:
            assert not re.search(
                r"<script(?![^>]* src=)|<style|\sstyle=|<[^>]*\son\w+=|https?://(?!www.w3.org)", answer.text
            )


def test_a_hostile_cell_and_file_name_are_text_everywhere(web, imported):
    import_id = imported(f"First Name,Email,{HOSTILE}\n{HOSTILE},x@example.com,1\n", name=f"{HOSTILE}.csv")
    admin = web("admin")
    for path in ("/", f"/imports/{import_id}", "/run?dag_id=import_clients__default&run_id=none"):
        text = admin.get(ROOT + path).text
        assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in admin.get(f"{ROOT}/imports/{import_id}").text


def test_a_database_that_does_not_answer_is_a_system_error(web, monkeypatch):
    import sqlalchemy as sa

    from client_imports_page import connections

    monkeypatch.setattr(connections, "engine", lambda: sa.create_engine("postgresql+psycopg://127.0.0.1:1/none"))
    answer = web("admin").get(f"{ROOT}/")
    assert answer.status_code == 503 and "System error" in answer.text and "127.0.0.1" not in answer.text
