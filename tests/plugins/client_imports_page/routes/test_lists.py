"""The list of imports, its filter, and the tabs on a DAG, a run and a task."""

from __future__ import annotations

import re

from tests.plugins.page import ROOT, TEXT, file_names


def test_the_filter_is_posted_unless_the_script_sees_that_it_holds_no_address(web, imported):
    imported()
    admin = web("admin")
    assert re.search(r'<form class="filters" method="post"', admin.get(f"{ROOT}/").text)
    # What was posted must not be asked for again by its address alone: that is the list without a filter.
    assert "data-refresh" in admin.get(f"{ROOT}/").text
    assert "data-refresh" not in admin.post(f"{ROOT}/", data={"q": "ann@example.com"}).text


def test_the_list_is_filtered_by_feed_state_day_name_and_address(web, imported):
    from datetime import UTC, datetime

    imported(name="old.csv", clock=lambda: datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    imported("First Name,Email\nNora,nora@example.com\n", feed="acme", name="news_100%.csv")
    imported("nothing", name="broken.csv")
    imported("First Name,Email\n,Nora@Example.com\nBen,ben@example.com\n", name="nora_failed.csv")
    admin = web("admin")

    def listed(**parameters):
        return file_names(admin.get(f"{ROOT}/", params=parameters))

    assert listed() == ["nora_failed.csv", "broken.csv", "news_100%.csv", "old.csv"]
    assert listed(feed="acme") == ["news_100%.csv"] and listed(state="refused") == ["broken.csv"]
    assert listed(q="0%") == ["news_100%.csv"] and listed(q="_") == ["nora_failed.csv", "news_100%.csv"]
    assert listed(until="2026-03-01") == ["old.csv"] and listed(since="2026-03-02", until="2026-03-02") == []
    assert listed(since="2026-03-02", until="2026-03-02", tz="Europe/Berlin") == ["old.csv"]
    assert listed(tz="No/Where", since="x") == listed()
    assert file_names(admin.post(f"{ROOT}/", data={"q": "Nora@Example.com"})) == ["nora_failed.csv", "news_100%.csv"]
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
        seen += file_names(answer)
        older = re.search(r'href="([^"]*before=\d+)"', answer.text)
        url = older[1].replace("&amp;", "&") if older else None
    assert seen == [f"{n}.csv" for n in range(120, 0, -1)] and url is None
    newer = re.search(r'href="([^"]*after=\d+)"', answer.text)[1]
    assert file_names(admin.get(newer.replace("&amp;", "&"))) == seen[50:100]


def test_failures_that_the_feeds_previous_file_did_not_have_are_marked(web, imported):
    imported("First Name,Email\n,a@example.com\n", name="1.csv")
    imported("First Name,Email\n,b@example.com\nBen,ben\n", name="2.csv")
    imported("First Name,Email\n,c@example.com\nBen,ben1\n", name="3.csv")
    text = web("admin").get(f"{ROOT}/").text
    assert text.count('class="new"') == 1 and "new: Not in the right format: E-mail" in text
    assert 'class="new-kind"' in text  # in the chart too


def test_the_tabs_of_a_run_and_a_task_show_their_imports_with_failed_rows_first(web, installation, ledger):
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
    assert file_names(admin.get(f"{ROOT}/dag", params={"dag_id": "import_clients__acme"})) == ["b.csv", "a.csv"]
