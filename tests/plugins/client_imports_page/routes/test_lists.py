"""The list of imports, its filter, and the tabs on a DAG, a run and a task."""

from __future__ import annotations

import re

from tests.plugins.page import ROOT, TEXT, file_names


def test_the_filter_is_posted_unless_the_script_sees_that_it_holds_no_address(web, imported):
    imported()
    admin = web("admin")
    assert re.search(r'<form class="filters" method="post"', admin.get(f"{ROOT}/imports").text)
    # What was posted is asked for again as it was posted: its address alone is that of the list without a filter.
    assert "data-live" in admin.get(f"{ROOT}/imports").text and "data-form" not in admin.get(f"{ROOT}/imports").text
    assert 'data-form="q=ann%40example.com"' in admin.post(f"{ROOT}/imports", data={"q": "ann@example.com"}).text
    # A search that finds nothing is noted in the audit log, so it is not repeated.
    assert "data-live" not in admin.post(f"{ROOT}/imports", data={"q": "no@example.com"}).text


def test_each_result_of_a_search_says_why_it_is_one(web, imported):
    imported("First Name,Email\nNora,nora@example.com\n", name="news_Old.csv")
    imported("First Name,Email\n,nora@example.com\n", name="old<b>.csv")
    admin = web("admin")
    by_name = admin.get(f"{ROOT}/imports?q=OLD").text
    assert "news_<mark>Old</mark>.csv" in by_name and "<mark>old</mark>&lt;b&gt;.csv" in by_name
    by_address = admin.post(f"{ROOT}/imports", data={"q": "nora@example.com"}).text
    assert re.findall(r'<mark class="why">(.*?)</mark>', by_address) == [
        "has a row with this e-mail", "changed the client with this e-mail"
    ]  # fmt: skip
    assert "@" not in "".join(re.findall(r'(?:href|action)="[^"]*"', by_address))


def test_the_list_is_sorted_by_a_column_and_paged_in_that_order(web, imported, engine):
    import sqlalchemy as sa

    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO imports (id, feed, file_name, state, received_at, requested_by, read, failed)
            SELECT gen_random_uuid(), 'default', lpad(n::text, 3, '0') || '.csv', 'merged', now(), '', n % 7, n % 7
            FROM generate_series(1, 120) n""")
        )
    admin = web("admin")
    for column, first, expected in (
        ("file", "asc", sorted(range(1, 121))),
        ("failed", "desc", sorted(range(1, 121), key=lambda n: (n % 7, n), reverse=True)),
        ("failed", "asc", sorted(range(1, 121), key=lambda n: (n % 7, n))),
    ):
        url, seen, screens = f"{ROOT}/imports?sort={column}&order={first}", [], []
        while url:
            answer = admin.get(url.replace("&amp;", "&"))
            screens.append(file_names(answer))
            seen += screens[-1]
            more = re.search(r'href="([^"]*before=\d+)"', answer.text)
            url = more and more[1]
        assert seen == [f"{n:03}.csv" for n in expected]
        back = re.search(r'href="([^"]*after=\d+)"', answer.text)[1]
        assert file_names(admin.get(back.replace("&amp;", "&"))) == screens[-2]
        assert f'aria-sort="{first}ending"' in answer.text
    for column in ("feed", "by", "when", "state", "read", "created", "updated", "unchanged", "duplicate"):
        assert len(file_names(admin.get(f"{ROOT}/imports?sort={column}&order=asc"))) == 50
    assert file_names(admin.get(f"{ROOT}/imports?sort=nothing&order=x"))[0] == "120.csv"


def test_the_list_is_filtered_by_feed_state_day_name_and_address(web, imported):
    from datetime import UTC, datetime

    imported(name="old.csv", clock=lambda: datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    imported("First Name,Email\nNora,nora@example.com\n", feed="acme", name="news_100%.csv")
    imported("nothing", name="broken.csv")
    imported("First Name,Email\n,Nora@Example.com\nBen,ben@example.com\n", name="nora_failed.csv")
    admin = web("admin")

    def listed(**parameters):
        return file_names(admin.get(f"{ROOT}/imports", params=parameters))

    assert listed() == ["nora_failed.csv", "broken.csv", "news_100%.csv", "old.csv"]
    assert listed(feed="acme") == ["news_100%.csv"] and listed(state="refused") == ["broken.csv"]
    assert listed(q="0%") == ["news_100%.csv"] and listed(q="_") == ["nora_failed.csv", "news_100%.csv"]
    assert listed(until="2026-03-01") == ["old.csv"] and listed(since="2026-03-02", until="2026-03-02") == []
    assert listed(since="2026-03-02", until="2026-03-02", tz="Europe/Berlin") == ["old.csv"]
    assert listed(tz="No/Where", since="x") == listed()
    assert file_names(admin.post(f"{ROOT}/imports", data={"q": "Nora@Example.com"})) == [
        "nora_failed.csv",
        "news_100%.csv",
    ]
    assert "Nothing found" in admin.get(f"{ROOT}/imports?q=zzz").text


def test_the_list_is_paged_to_its_end_and_back(web, imported, engine):
    import sqlalchemy as sa

    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO imports (id, feed, file_name, state, received_at, requested_by)
            SELECT gen_random_uuid(), 'default', n || '.csv', 'merged', now(), '' FROM generate_series(1, 120) n""")
        )
    admin, seen, url = web("admin"), [], f"{ROOT}/imports"
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
    text = web("admin").get(f"{ROOT}/imports").text
    assert text.count('class="new"') == 1 and "new: Not in the right format: E-mail" in text
    assert 'class="new-kind"' in text  # in the chart too
    # Neither a dry run nor a correction of failed rows is what a feed usually brings, so nothing is new in them.
    imported("First Name,Email\n,d@example.com\nx,y,z\n", name="look.csv", dry_run=True)
    fourth = imported("First Name,Email\n,e@example.com\nx,y,z\n", name="4.csv")
    failed = web("admin").get(f"{ROOT}/imports/{fourth}/failed-rows.csv")
    imported(failed.content.decode("utf-8-sig").replace(",e@", ",still wrong e@"), name="corrected.csv")
    imported("First Name,Email\n,f@example.com\nx,y,z\n", name="5.csv")
    text = web("admin").get(f"{ROOT}/imports").text
    assert [
        name for name in file_names(web("admin").get(f"{ROOT}/imports")) if _row_of(name, text).count('class="new"')
    ] == ["4.csv", "2.csv"]


def _row_of(name, text):
    return next(row for row in text.split("<tr") if f">{name}<" in row)


def test_an_undo_says_how_many_clients_it_undid_and_who_started_what(web, imported, engine, installation):
    import sqlalchemy as sa

    first = imported("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n", name="undone.csv")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET requested_by = 'asset_triggered'"))
        connection.execute(
            sa.text("UPDATE clients SET first_name = 'Benno', last_import_id = NULL WHERE first_name = 'Ben'")
        )
    conf = {"import_id": first, "dry_run": False, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    undo, original = re.findall(r"<tr data-key.*?</tr>", web("admin").get(f"{ROOT}/imports").text, re.DOTALL)
    assert "1 undone, 1 kept" in undo and ">2<" not in undo and 'class="reverted"' in undo
    assert '<td class="by">new file</td>' in original


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
    for index in ("{MAP_INDEX}", "-1", ""):  # what Airflow sends for a task that works on all files of its run
        assert all(
            name in admin.get(f"{ROOT}/task", params={**where, "map_index": index}).text for name in ("a.csv", "b.csv")
        )
    for path, request in (
        ("/task", {**where, "map_index": 9}), ("/run", {"dag_id": "x", "run_id": "y"}), ("/dag", {"dag_id": "x"}),
    ):  # fmt: skip
        assert "Not an import" in admin.get(ROOT + path, params=request).text
    assert file_names(admin.get(f"{ROOT}/dag", params={"dag_id": "import_clients__acme"})) == ["b.csv", "a.csv"]


def test_the_tab_of_a_task_that_took_several_files_shows_these_alone(web, installation):
    for number in range(9):
        installation.drop("acme", f"First Name;E-mail\nAnn;ann{number}@example.com\n", f"{number}.csv")
    run = installation.run("acme")
    request = {"dag_id": "import_clients__acme", "run_id": run.run_id, "map_index": 1}
    tab = web("admin").get(f"{ROOT}/task", params=request).text
    assert [f"{number}.csv" in tab for number in range(9)] == [number in (2, 3) for number in range(9)]


def test_a_kept_address_of_the_list_leads_to_where_the_list_is_now(web):
    answer = web("admin").get(f"{ROOT}/?feed=acme&state=refused")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ROOT}/imports?feed=acme&state=refused")
