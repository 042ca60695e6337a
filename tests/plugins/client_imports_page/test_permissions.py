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


# Request, and the expected status for each person. `x` is an import of the feed acme with a failed row, `d` one of default.
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


def test_personal_data_of_a_feed_is_hidden_from_people_who_may_not_see_its_dag(web, imported, clients):
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
def test_a_request_that_another_site_makes_a_browser_send_is_refused(web, headers, ledger):
    answer = send(web("admin"), **headers)
    assert answer.status_code == 403 and "another site" in answer.text
    assert (
        send(web("admin"), **{"sec-fetch-site": "same-origin", "origin": "http://airflow.example"}).status_code == 202
    )


def test_behind_a_proxy_with_another_host_name_the_browsers_own_header_decides(web):
    headers = {"sec-fetch-site": "same-origin", "origin": "https://public.example"}
    assert send(web("olga"), **headers).status_code == 202
