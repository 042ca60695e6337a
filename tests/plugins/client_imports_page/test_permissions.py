"""Who may see and do what on the page, and which requests it refuses."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from tests.plugins.page import ROOT, TEXT, send


def routes():
    from client_imports_page.app import build_app

    values = {
        "import_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "layout": "clients",
        "name": "page.css",
        "client_id": "a" * 24,
        "feed": "acme",
        "entry_id": "0",
    }
    values["upload_id"] = values["import_id"]
    return [
        (method, re.sub(r"{(\w+)}", lambda match: values[match[1]], route.path))
        for route in build_app().routes
        if isinstance(route, Route)
        for method in route.methods
    ]


def test_nothing_answers_without_a_login(web):
    requests = routes()
    assert len(requests) > 15
    for method, path in [*requests, ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/redoc")]:
        answer = web(None).request(method, ROOT + path)
        assert answer.status_code == (404 if path in ("/docs", "/openapi.json", "/redoc") else 401), (method, path)
        assert "no such import" not in answer.text
    forged = web(None)
    forged.cookies.set("_token", "eyJhbGciOiJIUzI1NiJ9.e30.x")
    assert forged.get(f"{ROOT}/").status_code == 403
    assert "Please log in" in web(None).get(f"{ROOT}/").text


PEOPLE = ("admin", "olga", "vera", "nobody")
# Request, and the status for each of PEOPLE. Of the feed acme there are an import `x` with a failed row, a dry run `p`,
# an upload `u` and a client `c`; of the feed default an import `d`, a dry run `q`, an upload `v` and a client `k`.
TABLE = [
    ("GET", "/", (200, 200, 200, 200)),
    ("GET", "/imports", (200, 200, 200, 200)),
    ("POST", "/imports", (200, 200, 200, 200)),
    ("GET", "/feeds", (200, 200, 200, 200)),
    ("GET", "/dag?dag_id=import_clients__acme", (200, 200, 200, 200)),
    ("POST", "/dag", (200, 200, 200, 200)),
    ("GET", "/run?dag_id=import_clients__acme&run_id=r", (200, 200, 200, 200)),
    ("GET", "/task?dag_id=import_clients__acme&run_id=r", (200, 200, 200, 200)),
    ("GET", "/imports/{x}", (200, 404, 200, 404)),
    ("GET", "/imports/{d}", (200, 200, 200, 404)),
    ("GET", "/imports/{x}/failed-rows.csv", (200, 404, 200, 404)),
    ("GET", "/imports/{d}/failed-rows.csv", (200, 200, 200, 404)),
    ("GET", "/imports/{p}/planned-changes.csv", (200, 404, 200, 404)),
    ("GET", "/imports/{q}/planned-changes.csv", (200, 200, 200, 404)),
    ("GET", "/imports/{x}/result.csv", (200, 404, 200, 404)),
    ("GET", "/imports/{d}/result.csv", (200, 200, 200, 404)),
    ("POST", "/", (200, 200, 200, 200)),
    ("GET", "/clients.csv", (200, 200, 404, 404)),
    ("POST", "/clients.csv", (200, 200, 404, 404)),
    ("GET", "/client", (200, 200, 200, 200)),
    ("POST", "/client", (200, 200, 200, 200)),
    ("GET", "/client/{c}", (200, 200, 200, 200)),  # "Nothing found" for those who may not see the client
    ("GET", "/client/{k}", (200, 200, 200, 200)),
    ("GET", "/templates/clients.csv", (200, 200, 200, 200)),
    ("GET", "/static/page.css", (200, 200, 200, 200)),
    ("GET", "/api/uploads", (200, 200, 200, 200)),
    ("GET", "/api/uploads/{u}", (200, 404, 200, 404)),
    ("GET", "/api/uploads/{v}", (200, 200, 200, 404)),
    ("POST", "/api/uploads/{u}/seen", (200, 404, 200, 404)),
    ("POST", "/api/uploads/{v}/seen", (200, 200, 200, 404)),
    ("POST", "/api/uploads/{u}/cancel", (200, 404, 403, 404)),
    ("POST", "/api/uploads/{v}/cancel", (200, 200, 403, 404)),
    ("GET", "/api/imports/{x}", (200, 404, 200, 404)),
    ("GET", "/api/imports/{d}", (200, 200, 200, 404)),
    ("GET", "/api/imports/{x}/version", (200, 404, 200, 404)),
    ("GET", "/api/imports/{d}/version", (200, 200, 200, 404)),
    ("POST", "/api/imports?feed=acme", (202, 404, 403, 404)),
    ("POST", "/api/imports?feed=default", (202, 202, 403, 404)),
    ("POST", "/api/imports?feed=none", (404, 404, 404, 404)),
    ("POST", "/api/checks?feed=acme", (200, 404, 403, 404)),
    ("POST", "/api/checks?feed=default", (200, 200, 403, 404)),
    ("POST", "/api/checks/warm?feed=acme", (200, 404, 403, 404)),
    ("POST", "/api/checks/warm?feed=default", (200, 200, 403, 404)),
    ("POST", "/api/drafts", (415, 415, 403, 403)),  # without a file
    ("POST", "/api/feeds/acme/remembered/forget", (200, 404, 403, 404)),
    ("POST", "/api/feeds/acme/remembered/0/forget", (404, 404, 403, 404)),
    ("POST", "/api/imports/{x}/revert", (202, 404, 403, 404)),
    ("POST", "/api/imports/{d}/revert", (202, 403, 403, 404)),
    ("POST", "/api/imports/{x}/discard", (409, 404, 403, 404)),
    ("POST", "/api/imports/{x}/corrections", (422, 404, 403, 404)),
    ("POST", "/api/imports/{d}/corrections", (422, 422, 403, 404)),
    ("POST", "/api/imports/{x}/corrections/check", (422, 404, 403, 404)),
    ("POST", "/api/imports/{d}/corrections/check", (422, 422, 403, 404)),
    ("POST", "/api/imports?feed=acme&corrects={x}", (202, 404, 403, 404)),
    ("POST", "/api/imports?feed=default&corrects={x}", (422, 404, 403, 404)),
    ("POST", "/api/imports/{x}/import", (409, 404, 403, 404)),
    ("POST", "/api/imports/{p}/import", (202, 404, 403, 404)),
    ("POST", "/api/imports/{q}/import", (202, 202, 403, 404)),
]


def test_the_table_of_rights_has_every_request():
    in_the_table = [re.sub(r"/({\w}|clients\.csv|page\.css)", "/*", path.partition("?")[0]) for _, path, _ in TABLE]
    on_the_page = [
        (method, re.sub(r"/(clients\.csv|page\.css|0+-0[0-]*0|a{24})", "/*", path))
        for method, path in routes()
        if method != "HEAD"
    ]
    assert {(row[0], path) for row, path in zip(TABLE, in_the_table, strict=True)} == set(on_the_page)


@pytest.fixture
def places(web, imported, clients):
    """What the paths of the table mean."""
    only = "First Name,Email\n{0},{0}@example.com\n,nobody@example.com\n"
    of_acme = [imported(only.format("Ann"), "acme"), imported(only.format("Bea"), "acme", dry_run=True)]
    of_default = [imported(only.format("Dan")), imported(only.format("Eva"), dry_run=True)]
    sent = [send(web("admin"), feed=feed).json()["upload_id"] for feed in ("acme", "default")]
    ids = [clients()[f"{name}@example.com"]["id"] for name in ("ann", "dan")]
    return dict(zip("xpdquvck", (*of_acme, *of_default, *sent, *ids), strict=True))


def test_each_person_gets_what_airflow_lets_them_see(web, places):
    for row in TABLE:
        if row[0] == "GET":
            ask_as_each_person(web, places, *row)


@pytest.mark.parametrize(("method", "path", "expected"), [row for row in TABLE if row[0] != "GET"])
def test_each_person_starts_what_airflow_lets_them_start(web, places, method, path, expected):
    ask_as_each_person(web, places, method, path, expected)


def ask_as_each_person(web, places, method, path, expected):
    for person, status in zip(PEOPLE, expected, strict=True):
        headers = {"content-type": "text/csv", "content-disposition": 'attachment; filename="a.csv"'}
        sent = {"content": TEXT, "headers": headers} if "?feed=" in path and method == "POST" else {}
        answer = web(person).request(method, ROOT + path.format(**places), **sent)
        assert answer.status_code == status, (person, method, path, answer.text)
        if status >= 400 or person in ("olga", "nobody"):
            assert not any(places[of_acme] in answer.text for of_acme in "xpu")
            # A check shows the person's own file, and who may import to one feed may see all clients.
            own = sent or (person == "olga" and (path == "/" or path.startswith("/client")))
            assert own or "ann@example.com" not in answer.text


def test_personal_data_of_a_feed_is_hidden_from_people_who_may_not_see_its_dag(web, imported, clients):
    import_id = imported(
        "First Name,Email\nZoe,zoe@secret.example\n,blank@secret.example\n", feed="acme", name="secret.csv"
    )
    dora = web("dora")
    for answer in (
        dora.get(f"{ROOT}/"), dora.post(f"{ROOT}/", data={"q": "zoe"}), dora.get(f"{ROOT}/imports"), dora.get(f"{ROOT}/imports?feed=acme"), dora.get(f"{ROOT}/dag?dag_id=import_clients__acme"),
        dora.get(f"{ROOT}/feeds"), dora.post(f"{ROOT}/imports", data={"q": "zoe@secret.example"}), dora.get(f"{ROOT}/api/uploads"),
        dora.post(f"{ROOT}/client", data={"q": "blank@secret.example"}),
        dora.post(f"{ROOT}/client", data={"q": "zoe@secret.example"}),
        dora.get(f"{ROOT}/client/{clients()['zoe@secret.example']['id']}"),
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
def test_a_request_that_another_site_makes_a_browser_send_is_refused(web, headers, ledger):
    answer = send(web("admin"), **headers)
    assert answer.status_code == 403 and "another site" in answer.text
    assert (
        send(web("admin"), **{"sec-fetch-site": "same-origin", "origin": "http://airflow.example"}).status_code == 202
    )


def test_behind_a_proxy_with_another_host_name_the_browsers_own_header_decides(web):
    headers = {"sec-fetch-site": "same-origin", "origin": "https://public.example"}
    assert send(web("olga"), **headers).status_code == 202
