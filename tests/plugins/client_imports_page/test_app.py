"""What holds for every answer of the page: errors, security headers, hostile text."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa

from include.adapters.database import remembered
from include.schemas.feed import Hold
from include.schemas.mapping import Mapping
from tests.conftest import PROJECT
from tests.plugins.page import ROOT, send


def test_a_parameter_that_is_no_text_or_no_time_is_reported_and_is_no_system_error(web):
    admin = web("admin")
    for path in (
        "/imports?q=%00",
        "/imports?q=a%40b%00",
        "/run?dag_id=x&run_id=%00",
        "/task?dag_id=import_clients__acme&run_id=%00",
    ):
        answer = admin.get(ROOT + path)
        assert answer.status_code == 422 and "Not understood" in answer.text, path
    assert admin.post(f"{ROOT}/client", data={"q": "a@b\0"}).status_code == 422
    assert admin.get(f"{ROOT}/imports?until=9999-12-31").status_code == 200
    assert admin.get(f"{ROOT}/static/{'a' * 300}.css").status_code == 404
    assert send(admin, **{"idempotency-key": ""}).status_code == 422


def test_every_answer_forbids_inline_scripts_and_no_page_has_one(web, imported):
    import_id = imported(
        "First Name,Email,Last Name\n,x@example.com,<img src=x onerror=alert(1)>\n", name="a'onload=alert(1)'.csv"
    )
    admin = web("admin")
    for path in (
        "/",
        "/imports",
        "/feeds",
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
            # A cell in a field to fill is text: the page cannot end its attribute.
            text = re.sub(r'(data-sent|value)="[^"<>]*"', "", answer.text)
            assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|<[^>]*\son\w+=|https?://(?!www.w3.org)", text)


def hostile(word: str) -> str:
    """Give a word that becomes an element, or an attribute, where a page does not escape it."""
    return f"""{word}'"><img src=x onerror=alert(1)>"""


class Elements(HTMLParser):
    """Collects what a browser would run, or load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.dangerous: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in ("img", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in dict(attrs)):
            self.dangerous.append(tag)
        for name, value in attrs:
            is_elsewhere = name in ("href", "src", "action") and re.match(r"\s*(\w+:|//)", value or "")
            if name.startswith("on") or name in ("style", "srcdoc") or is_elsewhere:
                self.dangerous.append(f"{tag} {name}={value}")


@pytest.fixture
def hostile_names(engine, installation, monkeypatch):
    """The feed's title, and the names of a project and a desk of the CRM, are markup."""
    feeds = installation.home / "hostile_feeds"
    feeds.mkdir(exist_ok=True)
    (feeds / "default.yaml").write_text(f"title: {json.dumps(hostile('Title'))}\nowner: nobody\n")
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(feeds))
    with engine.begin() as crm:
        project, desk = (
            {"id": letter * 24, "name": hostile(name)} for letter, name in (("b", "Project"), ("d", "Desk"))
        )
        crm.execute(sa.text("INSERT INTO projects (id, name) VALUES (:id, :name)"), project)
        crm.execute(sa.text("INSERT INTO desks (id, project_id, name) VALUES (:id, repeat('b', 24), :name)"), desk)
    yield
    with engine.begin() as crm:
        crm.execute(sa.text("DELETE FROM desks WHERE id = repeat('d', 24)"))
        crm.execute(sa.text("DELETE FROM projects WHERE id = repeat('b', 24)"))


@pytest.fixture
def hostile_imports(hostile_names, imported, engine, clients, installation, ledger):
    """Imports with markup in file names, headers, cells, and the sender's and the run's name; gives what the page has."""

    def cell(word: str) -> str:
        return '"' + hostile(word).replace('"', '""') + '"'

    said = Mapping(columns={hostile("Column"): "middle_name"}, values={"desk": {hostile("Word"): "d" * 24}})
    remembered.remember(engine, "default", said, hostile("Sender"), datetime.now(UTC))
    rows = [
        f"First Name,Email,Project,Desk,{cell('Header')}",
        "Ann,ann@example.com,,,", "Bea,bea@example.com,,,", "Bea,bea@example.com,,,",
        f"{cell('Cell')},x@example.com,{cell('Unknown')},,{cell('Other')}",
        f"Cat,{cell('Mail')},{PROJECT},{'d' * 24},", f"Dan,dan@example.com,{cell('Project')},,",
    ]  # fmt: skip
    keys = {"name": f"{hostile('File')}.csv", "by": hostile("Sender")}
    first = imported("\n".join([*rows, ""]), **keys)
    planned = imported("First Name,Email\nAnna,ann@example.com\n", dry_run=True, **keys)
    refused = imported(f"First Name,{cell('Header')}\nAnn,x\n", **keys)
    held = imported(f"First Name,Email,{cell('Header')}\n{cell('Held')},x,\n", hold=Hold(failed_over=0.1), **keys)
    client_id = clients()["ann@example.com"]["id"]
    with engine.begin() as crm:
        crm.execute(
            sa.text("UPDATE clients SET last_name = :name, middle_name = :name WHERE id = :id"),
            {"name": hostile("CRM"), "id": client_id},
        )
        crm.execute(
            sa.text("UPDATE imports SET dag_id = 'import_clients__default', run_id = :run"), {"run": hostile("Run")}
        )
    changed = imported("First Name,Email,Last Name\nAnn,ann@example.com,New\n", **keys)
    conf = {"import_id": first, "dry_run": True, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    return {
        "first": first, "planned": planned, "refused": refused, "held": held, "changed": changed, "client": client_id,
        "undo": ledger()[-1]["id"], "run": urlencode({"dag_id": "import_clients__default", "run_id": hostile("Run")}),
        "typed": quote(hostile("Typed"), safe=""), "filter": urlencode(dict.fromkeys(("q", "since", "tz"), hostile("Typed"))),
    }  # fmt: skip


# Screen, what is sent to it, and the hostile words that it has to show.
SCREENS = [
    ("/", None, "Title Project Desk"),
    ("/", hostile("Typed"), "Title Project Desk Typed"),
    ("/imports", None, "Title File Sender"),
    ("/imports?{filter}", None, "Typed"),
    ("/feeds", None, "Title Column Word Desk Sender"),
    ("/dag?dag_id=import_clients__default", None, "File Sender"),
    ("/dag?dag_id={typed}", None, "Title"),
    ("/run?{run}", None, "File Unknown"),
    ("/task?{run}", None, "Title"),
    ("/imports/{first}", None, "File Sender Header Cell Unknown Other Mail Project Desk Column Word"),
    ("/imports/{first}?kind=duplicate", None, "File Header"),
    ("/imports/{first}?kind=created", None, "File"),
    ("/imports/{held}", None, "File Sender Header Held"),
    ("/imports/{first}?kind=warnings", None, "File"),
    ("/imports/{planned}", None, "File Sender"),
    ("/imports/{refused}", None, "File Sender"),
    ("/imports/{changed}", None, "File CRM"),
    ("/imports/{undo}?kind=kept", None, "File"),
    ("/imports/{typed}", None, ""),
    ("/client", None, "Title"),
    ("/client/{client}", None, "File CRM"),
    ("/client/{typed}", None, "Typed"),
    ("/client", "x@example.com", "File Unknown"),
    ("/client", hostile("Typed"), "Typed"),
]


def test_markup_is_text_on_every_screen(web, hostile_imports, monkeypatch):
    from client_imports_page.rendering import FOLDER, _templates

    rendered, load = set(), _templates().get_template
    monkeypatch.setattr(_templates(), "get_template", lambda name, *more: rendered.add(name) or load(name, *more))
    for path, sent, words in SCREENS:
        where = ROOT + path.format(**hostile_imports)
        answer = web("admin").post(where, data={"q": sent}) if sent else web("admin").get(where)
        assert Elements(answer.text).dangerous == [], path
        missing = [word for word in words.split() if hostile(word) not in html.unescape(answer.text)]
        assert missing == [], (path, missing)
    assert Elements(web("vera").get(f"{ROOT}/").text).dangerous == []
    assert rendered >= {path.name for path in (FOLDER / "templates").iterdir()} - {
        "parts.html",
        "modal.html",
        "base.html",
    }


def test_even_an_unexpected_error_has_the_headers_that_forbid_scripts(web, monkeypatch):
    from client_imports_page import connections

    monkeypatch.setattr(connections, "engine", lambda: 1 / 0)
    answer = web("admin", raise_server_exceptions=False).get(f"{ROOT}/")
    assert answer.status_code == 500 and "System error" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_database_that_does_not_answer_is_a_system_error(web, monkeypatch):
    from client_imports_page import connections

    monkeypatch.setattr(connections, "engine", lambda: sa.create_engine("postgresql+psycopg://127.0.0.1:1/none"))
    answer = web("admin").get(f"{ROOT}/")
    assert answer.status_code == 503 and "System error" in answer.text and "127.0.0.1" not in answer.text


def test_a_folder_of_feeds_that_cannot_be_read_hides_no_import(web, imported, installation, monkeypatch):
    import_id = imported(name="kept.csv")
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(installation.home / "no such folder"))
    olga = web("olga")
    assert "kept.csv" in olga.get(f"{ROOT}/imports").text and "kept.csv" in olga.get(f"{ROOT}/imports/{import_id}").text
    assert send(olga).status_code == 404  # no feed that it could be sent to
