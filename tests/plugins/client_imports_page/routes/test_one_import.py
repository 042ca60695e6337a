"""The rows of one import on its page: every kind of them, and those of one cause."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from include.models import RunRequest
from include.schemas.feed import Hold
from include.steps.revert import revert
from tests.plugins.page import ROOT

TEXT = "First Name,Email,Desk\nAnn,ann@example.com,\nBen,ben@example.com,London\n,cat@example.com,\n"


def rows_shown(answer):
    return re.findall(r'<td class="number" title="row (\d+)">', answer.text.partition('id="rows"')[2])


def test_every_kind_of_row_has_a_tab_with_its_clients(web, imported, clients):
    imported("First Name,Email,Last Name\nAnn,ann@example.com,One\nEva,eva@example.com,\n")
    text = "First Name,Email,Last Name\nAnn,ann@example.com,Two\nEva,eva@example.com,\nNew,new@example.com,\n,no@x,\n"
    import_id = imported(text, name="b.csv")
    admin, shown = web("admin"), {}
    for kind in ("created", "updated", "unchanged", "failed"):
        shown[kind] = admin.get(f"{ROOT}/imports/{import_id}?kind={kind}")
    assert {kind: rows_shown(answer) for kind, answer in shown.items()} == {
        "created": ["3"], "updated": ["1"], "unchanged": ["2"], "failed": ["4"],
    }  # fmt: skip
    for kind, name in (("created", "new"), ("updated", "ann"), ("unchanged", "eva")):
        assert f"{ROOT}/client/{clients()[f'{name}@example.com']['id']}" in shown[kind].text
    assert "<td>new@example.com</td>" in shown["created"].text
    assert "<del>One</del>" in shown["updated"].text and "<ins>Two</ins>" in shown["updated"].text
    assert rows_shown(admin.get(f"{ROOT}/imports/{import_id}")) == ["4"]  # failed rows come first


def test_a_cause_leads_to_its_rows_alone_and_its_word_stands_in_no_url(web, imported):
    import_id = imported(TEXT)
    admin = web("admin")
    page = admin.get(f"{ROOT}/imports/{import_id}").text
    links = dict(re.findall(r'href="(\?cause=\d#rows)"[^>]*>1</a></td>\s*<td>([^<]*) <code', page))
    assert len(links) == 2 and not any("London" in link for link in links)
    for link, sentence in links.items():
        answer = admin.get(f"{ROOT}/imports/{import_id}{link.partition('#')[0]}")
        assert rows_shown(answer) == (["2"] if "London" in sentence else ["3"])
        assert "Show all rows" in answer.text
    assert rows_shown(admin.get(f"{ROOT}/imports/{import_id}?cause=99")) == ["2", "3"]


def test_cells_are_marked_in_the_column_that_was_read_and_in_no_twin_or_missing_column(web, imported):
    import_id = imported("E-mail,First Name,Email\n,Ann,ann@x\n,Ben,ben@example.com,more\n")
    page = web("vera").get(f"{ROOT}/imports/{import_id}").text
    cells = re.findall(
        r'<td( class="\w+")?>(?:<span class="hidden">wrong: </span>)?(?:<span class="blank">)?([^<]*)<', page
    )
    marked = [text for of_class, text in cells if "wrong" in of_class]
    assert marked == ["ann@x", "more"]
    assert page.count('<td class="absent"></td>') == 1  # the row that fits has no fourth cell, and it is not wrong


def test_a_correction_shows_the_columns_of_the_file_alone(web, imported):
    parent = imported(TEXT)
    report = web("admin").get(f"{ROOT}/imports/{parent}/failed-rows.csv").content.decode("utf-8-sig")
    child = imported(report, name="again.csv")
    page = web("admin").get(f"{ROOT}/imports/{child}").text
    assert '<th scope="col">Desk</th>' in page and "_codes" not in page and "_row" not in page


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_undo_that_kept_a_client_shows_both_kinds(web, imported, engine, dry_run):
    import_id = imported("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n")
    imported("First Name,Email\nBenno,ben@example.com\n", name="b.csv")
    undo = revert(engine, import_id, RunRequest(by="admin", dry_run=dry_run)).revert_id
    admin = web("admin")
    assert admin.get(f"{ROOT}/api/imports/{undo}").status_code == 200
    shown = {kind: admin.get(f"{ROOT}/imports/{undo}?kind={kind}") for kind in ("reverted", "kept")}
    assert {kind: rows_shown(answer) for kind, answer in shown.items()} == {"reverted": ["1"], "kept": ["2"]}
    assert "deleted: Ann" in shown["reverted"].text and "Something else has changed the client" in shown["kept"].text


def test_undo_is_offered_only_where_something_can_be_undone_and_says_while_it_runs(web, imported, engine):
    import_id = imported("First Name,Email\n,no@example.com\n")
    admin = web("admin")
    assert "Undo this import" not in admin.get(f"{ROOT}/imports/{import_id}").text
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 409
    import_id = imported("First Name,Email\nAnn,ann@example.com\n", name="b.csv")
    assert "Undo this import" in admin.get(f"{ROOT}/imports/{import_id}").text
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    page = web("vera").get(f"{ROOT}/imports/{import_id}").text  # also for somebody else, and after a reload
    assert "This import is being undone" in page and "data-soon" in page and "Undo this import" not in page


def test_the_result_file_is_sent_whole_and_noted(web, imported, engine):
    import_id = imported(TEXT)
    answer = web("vera").get(f"{ROOT}/imports/{import_id}/result.csv")
    assert answer.text.count("\r\n") == 4 and "attachment" in answer.headers["content-disposition"]
    assert web("vera").get(f"{ROOT}/imports/{imported('First Name', name='r.csv')}/result.csv").status_code == 404
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM import_rows")) == 3


def test_clients_that_a_list_lacks_have_a_tab_of_their_own_and_stand_in_no_line(web, imported, clients):
    imported("First Name,Email\nAnn,ann@example.com\nEva,eva@example.com\n")
    whole_list = {"snapshot": "deactivate_missing", "hold": Hold(deactivated_over=1)}
    import_id = imported("First Name,Email\nAnn,ann@example.com\n", name="b.csv", **whole_list)
    page = web("admin").get(f"{ROOT}/imports/{import_id}")
    assert (
        "1 client missing in the file became inactive." in page.text and "<dt>deactivated</dt><dd>1</dd>" in page.text
    )
    rows = web("admin").get(f"{ROOT}/imports/{import_id}?kind=deactivated").text.partition('id="rows"')[2]
    assert (
        f"{ROOT}/client/{clients()['eva@example.com']['id']}" in rows and 'title="missing in the file">–</td>' in rows
    )
    assert "<del>true</del>" in rows and "<ins>false</ins>" in rows
    of_client = web("admin").get(f"{ROOT}/client/{clients()['eva@example.com']['id']}").text
    assert 'title="missing in the file">–</td>' in of_client and "deactivated" in of_client
    assert "Undo this import" in page.text
