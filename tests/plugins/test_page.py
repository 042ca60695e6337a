"""The page *Client imports*, in Airflow's own web application, on a real PostgreSQL: who sees and does what."""

from __future__ import annotations

import asyncio
import csv
import io
import re

import pytest
from starlette.routing import Route

from demo.reference_data import SAMPLES
from include.steps.import_file import import_file

ROOT = "/client-imports"
TEXT = "First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n,nobody@example.com\n"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def imported(installation, engine):
    """Import text into a feed as the DAG would; gives the id."""
    from include.adapters.files.storage import Storage
    from include.schemas.feed import Feed

    def _imported(text=TEXT, feed="default", name="clients.csv", **keys):
        path = installation.home / name
        path.write_text(text)
        own = {key: keys.pop(key) for key in ("dry_run", "force", "clock", "by") if key in keys}
        described = Feed(name=feed, title=feed, **keys)
        return import_file(
            path, feed=described, engine=engine, storage=Storage(installation.home / "storage"), **own
        ).import_id

    return _imported


def send(client, text=TEXT, feed="default", name="clients.csv", **headers):
    own = {"content-type": "text/csv", "content-disposition": f'attachment; filename="{name}"', "accept": "*/*"}
    return client.post(f"{ROOT}/api/imports?feed={feed}{headers.pop('more', '')}", content=text, headers=own | headers)


def routes():
    from client_imports_page.app import build_app

    filled = {
        "import_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "layout": "clients",
        "name": "page.css",
        "client_id": "a" * 24,
    }
    filled["upload_id"] = filled["import_id"]
    return [
        (method, re.sub(r"{(\w+)}", lambda found: filled[found[1]], route.path))
        for route in build_app().routes
        if isinstance(route, Route)
        for method in route.methods
    ]


def test_nothing_answers_without_a_login(web):
    request = routes()
    assert len(request) > 15
    for method, path in [*request, ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/redoc")]:
        answer = web(None).request(method, ROOT + path)
        assert answer.status_code == (404 if path in ("/docs", "/openapi.json", "/redoc") else 401), (method, path)
        assert "no such import" not in answer.text
    forged = web(None)
    forged.cookies.set("_token", "eyJhbGciOiJIUzI1NiJ9.e30.x")
    assert forged.get(f"{ROOT}/").status_code == 403
    assert "Please log in" in web(None).get(f"{ROOT}/").text


# (what, person): expected status. `x` is an import of the feed acme with a failed row, `d` one of default.
TABLE = [
    ("GET", "/", {"admin": 200, "olga": 200, "vera": 200, "nobody": 200}),
    ("GET", "/imports/{x}", {"admin": 200, "olga": 404, "vera": 200, "nobody": 404}),
    ("GET", "/imports/{d}", {"admin": 200, "olga": 200, "vera": 200, "nobody": 404}),
    ("GET", "/imports/{x}/failed-rows.csv", {"admin": 200, "olga": 404, "vera": 200, "nobody": 404}),
    ("GET", "/api/imports/{x}", {"admin": 200, "olga": 404, "vera": 200, "nobody": 404}),
    ("GET", "/dag?dag_id=import_clients__acme", {"admin": 200, "olga": 200, "vera": 200, "nobody": 200}),
    ("GET", "/templates/clients.csv", {"admin": 200, "olga": 200, "vera": 200, "nobody": 200}),
    ("POST", "/api/imports?feed=acme", {"admin": 202, "olga": 404, "vera": 403, "nobody": 404}),
    ("POST", "/api/imports?feed=default", {"admin": 202, "olga": 202, "vera": 403, "nobody": 404}),
    ("POST", "/api/imports?feed=none", {"admin": 404, "olga": 404, "vera": 404, "nobody": 404}),
    ("POST", "/api/imports/{x}/revert", {"olga": 404, "vera": 403, "nobody": 404, "admin": 202}),
    ("POST", "/api/imports/{d}/revert", {"olga": 403, "vera": 403, "nobody": 404, "admin": 202}),
    ("POST", "/api/imports/{x}/import", {"olga": 404, "vera": 403, "nobody": 404, "admin": 409}),
]


@pytest.mark.parametrize(("method", "path", "expected"), TABLE)
def test_each_person_gets_what_airflow_lets_them_see_and_start(web, imported, method, path, expected):
    places = {"x": imported(feed="acme"), "d": imported(feed="default")}
    for person, status in expected.items():
        headers = {"content-type": "text/csv", "content-disposition": 'attachment; filename="a.csv"'}
        answer = web(person).request(method, ROOT + path.format(**places), content=TEXT, headers=headers)
        assert answer.status_code == status, (person, answer.text)
        if status >= 400 or person in ("olga", "nobody"):
            assert places["x"] not in answer.text


def test_personal_data_of_a_feed_is_nowhere_for_who_does_not_see_its_dag(web, imported, clients):
    import_id = imported(
        "First Name,Email\nZoe,zoe@secret.example\n,blank@secret.example\n", feed="acme", name="secret.csv"
    )
    olga = web("olga")
    for answer in (
        olga.get(f"{ROOT}/"), olga.get(f"{ROOT}/?feed=acme"), olga.get(f"{ROOT}/dag?dag_id=import_clients__acme"),
        olga.post(f"{ROOT}/", data={"q": "zoe@secret.example"}), olga.get(f"{ROOT}/api/uploads"),
        olga.post(f"{ROOT}/client", data={"q": "blank@secret.example"}),
        olga.post(f"{ROOT}/client", data={"q": "zoe@secret.example"}),
        olga.get(f"{ROOT}/client/{clients()['zoe@secret.example']['id']}"),
    ):  # fmt: skip
        assert answer.status_code == 200
        text = re.sub(r'value="[^"]*"|<h1>[^<]*</h1>', "", answer.text)  # what was typed comes back
        assert "secret" not in text and "Zoe" not in text and import_id not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://airflow.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "http://airflow.example:9999"},
        {"origin": "null"},
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(web, headers, ledger):
    answer = send(web("admin"), **headers)
    assert answer.status_code == 403 and "another site" in answer.text
    assert (
        send(web("admin"), **{"sec-fetch-site": "same-origin", "origin": "http://airflow.example"}).status_code == 202
    )


def test_behind_a_proxy_that_names_another_host_the_browser_says_what_the_same_site_is(web):
    headers = {"sec-fetch-site": "same-origin", "origin": "https://public.example"}
    assert send(web("olga"), **headers).status_code == 202


def test_what_is_no_text_or_no_time_is_told_and_is_no_fault(web):
    admin = web("admin")
    for path in ("/?q=%00", "/?q=a%40b%00", "/run?dag_id=x&run_id=%00", "/task?dag_id=import_clients__acme&run_id=%00"):
        answer = admin.get(ROOT + path)
        assert answer.status_code == 422 and "Not understood" in answer.text, path
    assert admin.post(f"{ROOT}/client", data={"q": "a@b\0"}).status_code == 422
    assert admin.get(f"{ROOT}/?until=9999-12-31").status_code == 200
    assert admin.get(f"{ROOT}/static/{'a' * 300}.css").status_code == 404
    assert send(admin, **{"idempotency-key": ""}).status_code == 422


def test_the_filter_posts_unless_a_script_knows_that_no_address_is_in_it(web, imported):
    imported()
    admin = web("admin")
    assert re.search(r'<form class="filters" method="post"', admin.get(f"{ROOT}/").text)
    # What was posted must not be asked for again by its address alone: that is the list without a filter.
    assert "data-refresh" in admin.get(f"{ROOT}/").text
    assert "data-refresh" not in admin.post(f"{ROOT}/", data={"q": "ann@example.com"}).text


def test_every_answer_forbids_scripts_of_its_own_and_no_page_has_one(web, imported):
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


def test_an_upload_is_followed_from_the_inbox_to_the_notification(web, installation, ledger):
    olga = web("olga")
    sent = send(olga)
    assert sent.status_code == 202 and sent.headers["location"].endswith(sent.json()["upload_id"])
    upload = sent.json()
    assert (upload["step"], upload["done"], upload["import_id"]) == ("Waiting", False, None)
    installation.run("default", upload=upload["upload_id"])
    followed = olga.get(sent.headers["location"]).json()
    assert followed["done"] and followed["sentence"] == "2 clients imported: 2 created."
    assert (followed["failed"], followed["tone"]) == ("1 row failed", "warning")
    assert followed["result"]["created"] == 2 and followed["result"]["problems"][0]["code"] == "CELL_REQUIRED"
    assert followed["result"] == olga.get(f"{ROOT}/api/imports/{followed['import_id']}").json()
    assert ledger()[0]["requested_by"] == "olga"
    # Told until it is put away, on every page, and to nobody else.
    assert [u["upload_id"] for u in olga.get(f"{ROOT}/api/uploads").json()] == [upload["upload_id"]]
    assert web("admin").get(f"{ROOT}/api/uploads").json() == []
    assert olga.post(f"{ROOT}/api/uploads/{upload['upload_id']}/seen").json() == {"seen": True}
    assert olga.get(f"{ROOT}/api/uploads").json() == []


def test_the_run_that_an_upload_starts_is_the_persons_own_and_started_once(web):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    olga = web("olga")
    upload = send(olga, **{"idempotency-key": "k"}).json()
    assert send(olga, **{"idempotency-key": "k"}).json()["upload_id"] == upload["upload_id"]
    with create_session() as session:
        (run,) = session.query(DagRun).where(DagRun.run_id == f"upload__{upload['upload_id']}").all()
        assert (run.dag_id, run.triggering_user_name, run.conf) == (
            "import_clients__default",
            "olga",
            {"upload": upload["upload_id"]},
        )
    other = send(olga, TEXT + "Cat,cat@example.com\n", **{"idempotency-key": "k"})
    assert other.status_code == 422 and "use a new key" in other.json()["detail"]


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [
        ({"name": "clients.xlsx"}, 400, "does not end in .csv"),
        ({"name": "..\\\\a.csv"}, 400, "parts of a path"),
        ({"text": ""}, 400, "no bytes"),
        ({"content-type": "text/plain"}, 415, "Content-Type: text/csv"),
        ({"content-type": "multipart/form-data"}, 415, "Content-Type: text/csv"),
        ({"more": "&dry_run=perhaps"}, 422, "dry_run"),
    ],
)
def test_what_is_plainly_wrong_is_told_at_once_and_leaves_nothing(web, installation, keys, status, word):
    answer = send(web("olga"), **keys)
    assert answer.status_code == status and word in answer.json()["detail"]
    assert installation.files("inbox") == []


def test_an_upload_over_the_limit_is_cut_off_while_it_comes(web, web_app, installation):
    """Spoken without a client library: those read the whole body before they send it."""
    read, answered = [], []
    cookie = f"_token={web('olga').cookies['_token']}"
    headers = {"host": "airflow.example", "cookie": cookie, "content-type": "text/csv", "accept": "*/*"}
    headers["content-disposition"] = 'attachment; filename="a.csv"'
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": f"{ROOT}/api/imports",
        "raw_path": f"{ROOT}/api/imports".encode(), "query_string": b"feed=default", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("airflow.example", 80), "state": {},
    }  # fmt: skip

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x" * (1 << 20), "more_body": len(read) < 200}

    async def answer(message):
        answered.append(message)

    asyncio.run(web_app(scope, receive, answer))
    assert answered[0]["status"] == 413 and b"at most 20,971,520" in answered[1]["body"]
    assert len(read) < 30 and installation.files("inbox") == []


@pytest.mark.parametrize(
    "header",
    [
        "attachment; filename*=idna''a%FF.csv",
        "attachment; filename*=utf-16''abc.csv",
        "attachment; filename;-*",
        "attachment; " + "(" * 3000 + "filename=a.csv",
        "attachment; filename=a\rb.csv",
        "attachment; filename*=UTF-8''a%00.csv",
        "attachment; filename*=UTF-8''..%2Fa.csv",
    ],
)
def test_a_header_that_names_no_file_is_refused_as_a_name(web, installation, header):
    answer = send(web("olga"), **{"content-disposition": header})
    assert answer.status_code == 400 and answer.json()["code"] == "FILE_NAME"
    assert installation.files("inbox") == []


def test_a_storage_that_is_not_mounted_takes_no_upload_and_is_not_made(web, installation):
    olga = web("olga")
    waiting = send(olga).json()["upload_id"]
    inbox = installation.home / "storage" / "inbox"
    inbox.rename(inbox.with_name("elsewhere"))
    for answer in (send(olga, TEXT + "Cat,cat@example.com\n"), olga.get(f"{ROOT}/api/uploads/{waiting}")):
        assert answer.status_code == 503 and "storage" in answer.text
    assert not inbox.exists()
    inbox.with_name("elsewhere").rename(inbox)
    assert olga.get(f"{ROOT}/api/uploads/{waiting}").json()["step"] == "Waiting"


def test_who_uploads_much_and_never_looks_is_told_of_the_newest(web, engine):
    import sqlalchemy as sa

    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO uploads (id, feed, file_name, sha256, bytes, requested_by, note, forced, dry_run, uploaded_at)
            SELECT gen_random_uuid(), 'default', n || '.csv', '', 1, 'olga', '', false, false, now() + n * interval '1 s'
            FROM generate_series(1, 50) n""")
        )
    told = [upload["file_name"] for upload in web("olga").get(f"{ROOT}/api/uploads").json()]
    assert told == [f"{n}.csv" for n in range(31, 51)]


def test_a_name_with_letters_of_any_script_arrives_as_it_was_written(web, installation, ledger):
    headers = {"content-disposition": "attachment; filename*=UTF-8''K%C3%A4ufer%20%22%E5%8D%8E%22.csv"}
    upload = send(web("olga"), **headers).json()
    assert upload["file_name"] == 'Käufer "华".csv'
    installation.run("default", upload=upload["upload_id"])
    assert ledger()[0]["file_name"] == 'Käufer "华".csv'


def test_a_name_typed_as_utf_8_into_the_header_arrives_as_it_was_typed(web):
    upload = send(web("olga"), **{"content-disposition": 'attachment; filename="Käufer.csv"'.encode()}).json()
    assert upload["file_name"] == "Käufer.csv"


def test_the_failed_row_report_corrected_and_sent_back_shows_as_fixed(web, installation):
    olga = web("olga")
    first = send(olga).json()["upload_id"]
    installation.run("default", upload=first)
    parent = olga.get(f"{ROOT}/api/uploads/{first}").json()["import_id"]
    report = olga.get(f"{ROOT}/imports/{parent}/failed-rows.csv")
    assert "attachment" in report.headers["content-disposition"]
    second = send(olga, report.content.replace(b"\r\n,", b"\r\nNora,"), name="corrected.csv").json()["upload_id"]
    installation.run("default", upload=second)
    child = olga.get(f"{ROOT}/api/uploads/{second}").json()
    assert child["sentence"] == "1 client imported: 1 created."
    assert "1 of 1 failed row is fixed" in olga.get(f"{ROOT}/imports/{child['import_id']}").text
    assert "1 fixed, 0 still failed" in olga.get(f"{ROOT}/imports/{parent}").text


def test_a_dry_run_says_what_would_happen_and_can_be_imported_afterwards(web, installation, clients):
    olga = web("olga")
    upload = send(olga, more="&dry_run=true").json()["upload_id"]
    installation.run("default", upload=upload)
    looked = olga.get(f"{ROOT}/api/uploads/{upload}").json()
    assert looked["sentence"] == "2 clients would be imported: 2 created. Nothing has been written." and clients() == {}
    page = olga.get(f"{ROOT}/imports/{looked['import_id']}").text
    assert "What would change" in page and "Import it now" in page
    again = olga.post(f"{ROOT}/api/imports/{looked['import_id']}/import")
    assert again.status_code == 202
    installation.run("default", upload=again.json()["upload_id"])
    assert len(clients()) == 2


def test_a_dry_run_whose_file_is_gone_says_so(web, imported, engine):
    import sqlalchemy as sa

    olga, looked = web("olga"), imported(dry_run=True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET file_path = 'archive/default/none.csv'"))
    again = olga.post(f"{ROOT}/api/imports/{looked}/import")
    assert again.status_code == 409 and "send it again" in again.text


def test_a_file_that_was_imported_before_can_be_imported_all_the_same(web, installation, ledger):
    olga = web("olga")
    for _ in range(2):
        upload = send(olga).json()["upload_id"]
        installation.run("default", upload=upload)
    refused = olga.get(f"{ROOT}/api/uploads/{upload}").json()
    assert refused["tone"] == "refused" and "Already imported" in refused["sentence"]
    assert "Import it all the same" in olga.get(f"{ROOT}/imports/{refused['import_id']}").text
    again = olga.post(f"{ROOT}/api/imports/{refused['import_id']}/import").json()["upload_id"]
    installation.run("default", upload=again)
    assert [row["state"] for row in ledger()] == ["merged", "refused", "merged"] and ledger()[2]["unchanged"] == 2


def test_a_template_can_be_imported_as_it_is(web, imported, clients):
    for layout in ("clients", "onboarding"):
        answer = web("olga").get(f"{ROOT}/templates/{layout}.csv")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 2
        imported(answer.content.decode("utf-8-sig"), name=f"{layout}.csv")
        assert clients()["emma.smith@example.com"]["first_name"] == "Emma"


def names(answer):
    return re.findall(r'<td class="file"><a href="[^"]*">([^<]*)</a>', answer.text)


def test_the_list_is_filtered_by_feed_state_day_name_and_address(web, imported):
    from datetime import UTC, datetime

    imported(name="old.csv", clock=lambda: datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    imported("First Name,Email\nNora,nora@example.com\n", feed="acme", name="news_100%.csv")
    imported("nothing", name="broken.csv")
    imported("First Name,Email\n,Nora@Example.com\nBen,ben@example.com\n", name="nora_failed.csv")
    admin = web("admin")

    def listed(**request):
        return names(admin.get(f"{ROOT}/", params=request))

    assert listed() == ["nora_failed.csv", "broken.csv", "news_100%.csv", "old.csv"]
    assert listed(feed="acme") == ["news_100%.csv"] and listed(state="refused") == ["broken.csv"]
    assert listed(q="0%") == ["news_100%.csv"] and listed(q="_") == ["nora_failed.csv", "news_100%.csv"]
    assert listed(until="2026-03-01") == ["old.csv"] and listed(since="2026-03-02", until="2026-03-02") == []
    assert listed(since="2026-03-02", until="2026-03-02", tz="Europe/Berlin") == ["old.csv"]
    assert listed(tz="No/Where", since="x") == listed()
    assert names(admin.post(f"{ROOT}/", data={"q": "Nora@Example.com"})) == ["nora_failed.csv", "news_100%.csv"]
    assert "Nothing found" in admin.get(f"{ROOT}/?q=zzz").text


def test_the_list_is_paged_to_its_end_and_back(web, imported, engine):
    import sqlalchemy as sa

    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO imports (id, feed, file_name, state, received_at, requested_by)
            SELECT gen_random_uuid(), 'default', n || '.csv', 'merged', now(), '' FROM generate_series(1, 120) n""")
        )
    admin, seen, url = web("admin"), [], f"{ROOT}/"
    for _ in range(3):
        answer = admin.get(url)
        seen += names(answer)
        older = re.search(r'href="([^"]*before=\d+)"', answer.text)
        url = older[1].replace("&amp;", "&") if older else None
    assert seen == [f"{n}.csv" for n in range(120, 0, -1)] and url is None
    newer = re.search(r'href="([^"]*after=\d+)"', answer.text)[1]
    assert names(admin.get(newer.replace("&amp;", "&"))) == seen[50:100]


def test_failures_that_the_feeds_file_before_did_not_have_are_marked(web, imported):
    imported("First Name,Email\n,a@example.com\n", name="1.csv")
    imported("First Name,Email\n,b@example.com\nBen,ben\n", name="2.csv")
    imported("First Name,Email\n,c@example.com\nBen,ben1\n", name="3.csv")
    text = web("admin").get(f"{ROOT}/").text
    assert text.count('class="new"') == 1 and "new: Not in the right format: E-mail" in text
    assert 'class="news"' in text  # in the chart too


def test_one_import_shows_its_causes_rows_changes_and_history(web, imported):
    text = "First Name,Email,Desk\nAnn,ann@example.com,\nBen,ben@example.com,London\n,cat@example.com,\n"
    import_id = imported(text, name="a.csv")
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "1 client imported: 1 created. 2 rows failed" in re.sub(r"\s+", " ", page)
    assert "CELL_REFERENCE_NOT_FOUND" in page and "First name is blank, and every client needs one." in page
    assert re.search(r'class="wrong"[^>]*><span class="hidden">wrong: </span>London', page)
    assert re.search(r'class="wrong"[^>]*><span class="hidden">wrong: </span><span class="blank">blank', page)
    assert "<ins>ann@example.com</ins>" in page
    for state in ("received", "validated", "prepared", "merged"):
        assert f"<td>{state}</td>" in page
    imported("First Name,Email\nAnna,ann@example.com\n", name="b.csv")
    changed = names(web("admin").get(f"{ROOT}/"))
    assert changed == ["b.csv", "a.csv"]


def test_a_word_that_the_feed_could_understand_comes_as_ready_yaml(web, imported):
    rows = "\n".join(f"A{n},a{n}@example.com,6655aa10caa3558dd8f8da99,London" for n in range(3))
    import_id = imported(f"First Name,Email,Project,Desk\n{rows}\n")
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "values: {desk: {&#34;London&#34;: &#34;67a3470d8092c651c9193390&#34;}}" in page


def test_a_client_is_found_by_address_or_id_and_shows_what_each_import_did(web, imported, clients):
    imported("First Name,Email,Last Name\nAnn,Ann@Example.com,One\n", name="1.csv")
    imported(
        "First Name,Email,Last Name\nAnn,ann@example.com,Two\n,ann@example.com,\n",
        name="2.csv",
        duplicates="keep_first",
    )
    admin = web("admin")
    found = admin.post(f"{ROOT}/client", data={"q": " ANN@example.com "})
    client_id = clients()["ann@example.com"]["id"]
    assert found.status_code == 303 and found.headers["location"] == f"{ROOT}/client/{client_id}"
    assert "@" not in found.headers["location"]
    page = admin.get(found.headers["location"]).text
    assert "<del>One</del>" in page and "<ins>Two</ins>" in page and page.index("2.csv") < page.index("1.csv")
    assert admin.post(f"{ROOT}/client", data={"q": client_id.upper()}).headers["location"].endswith(client_id)
    imported("First Name,Email\n,lost@example.com\n", name="3.csv")
    missing = admin.post(f"{ROOT}/client", data={"q": "lost@example.com"})
    assert missing.status_code == 200 and "3.csv" in missing.text and "First name is blank" in missing.text
    assert "Nothing found" in admin.post(f"{ROOT}/client", data={"q": "never@example.com"}).text


def test_the_tabs_of_run_and_task_lead_to_their_imports_failed_rows_first(web, installation, ledger):
    for name, text in (("a.csv", TEXT.replace(",nobody", "Cat,nobody")), ("b.csv", TEXT)):
        installation.drop("acme", text.replace(",", ";").replace("@example", f"@{name}"), name)
    run = installation.run("acme")
    admin, where = web("admin"), {"dag_id": "import_clients__acme", "run_id": run.run_id}
    tab = admin.get(f"{ROOT}/run", params=where).text
    assert tab.index("b.csv") < tab.index("a.csv")
    for index, row in enumerate(ledger()):
        task = admin.get(f"{ROOT}/task", params={**where, "map_index": index})
        assert task.headers["location"] == f"{ROOT}/imports/{row['id']}"
    for path, request in (("/task", where), ("/run", {"dag_id": "x", "run_id": "y"}), ("/dag", {"dag_id": "x"})):
        assert "Not an import" in admin.get(ROOT + path, params=request).text
    assert names(admin.get(f"{ROOT}/dag", params={"dag_id": "import_clients__acme"})) == ["b.csv", "a.csv"]


def test_an_undo_from_the_page_is_the_undo_of_the_dag(web, installation, imported, clients, ledger):
    import_id = imported()
    assert web("admin").post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    conf = {"import_id": import_id, "dry_run": False, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    assert clients() == {}
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "All of it was taken back later." in page and "2 clients taken back" in page
    assert web("admin").post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 409


def test_an_undo_that_has_failed_is_not_said_to_have_started_again(web, imported):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    admin, import_id = web("admin"), imported()
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    with create_session() as session:
        session.query(DagRun).where(DagRun.run_id == f"undo__{import_id}").update({"state": "failed"})
    again = admin.post(f"{ROOT}/api/imports/{import_id}/revert")
    assert again.status_code == 409 and f"Clear the run undo__{import_id}" in again.text


def test_a_forgotten_import_says_so_and_shows_no_cell(web, imported, engine, installation):
    from datetime import UTC, datetime, timedelta

    from include.adapters.files.storage import Storage
    from include.schemas.feed import Feed
    from include.steps.forget import forget

    import_id = imported()
    feed = Feed(name="default", title="", retention_days=1)
    forget(engine, Storage(installation.home / "storage"), {"default": feed}, datetime.now(UTC) + timedelta(days=3))
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "were removed" in page and "nobody@example.com" not in page and "1 row failed" in page


def test_a_database_that_is_gone_is_our_fault_and_says_so(web, monkeypatch):
    import sqlalchemy as sa
    from client_imports_page import connections

    monkeypatch.setattr(connections, "engine", lambda: sa.create_engine("postgresql+psycopg://127.0.0.1:1/none"))
    answer = web("admin").get(f"{ROOT}/")
    assert answer.status_code == 503 and "our fault" in answer.text and "127.0.0.1" not in answer.text


def test_the_samples_read_as_sentences(web, installation):
    admin = web("admin")
    upload = send(admin, (SAMPLES / "partner_feed.csv").read_bytes(), feed="acme", name="partner_feed.csv").json()
    installation.run("acme", upload=upload["upload_id"])
    told = admin.get(f"{ROOT}/api/uploads/{upload['upload_id']}").json()
    assert told["sentence"] == "2 clients imported: 2 created. 1 row repeated another row."
    assert told["failed"] == "5 rows failed"
