"""No run of a feed begins that names what cannot be: no file is claimed, and no client lands anywhere else."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.errors import FeedInvalid
from include.models import RunRequest
from include.steps.check_feed import check_feed
from include.steps.context import ImportContext, utc_now
from include.steps.prepare import prepare
from include.steps.receive import receive
from include.steps.validate import validate
from tests.conftest import DESK, LONDON, PARTNERS, PROJECT

RUN = RunRequest("test", dag_id="import_clients__default", run_id="run-1")
NOWHERE = "0" * 24
ANN = "First Name,Email,Desk\nAnn,ann@example.com,\n"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"defaults": {"desk": NOWHERE}}, f"`defaults.desk` is '{NOWHERE}': the CRM has no desk with this ID."),
        ({"defaults": {"project": NOWHERE}}, f"`defaults.project` is '{NOWHERE}': the CRM has no project with this ID."),
        ({"defaults": {"project": DESK}}, f"`defaults.project` is '{DESK}': the CRM has no project with this ID."),
        ({"values": {"desk": {"Bo": NOWHERE}}}, f"`values.desk.Bo` is '{NOWHERE}': the CRM has no desk with this ID."),
        ({"values": {"project": {"P": NOWHERE}}}, f"`values.project.P` is '{NOWHERE}': the CRM has no project with"),
        ({"defaults": {"desk": LONDON}}, f"`defaults.desk` is '{LONDON}': the desk “"),
        ({"defaults": {"desk": LONDON, "project": PROJECT}}, f"(ID {PARTNERS}), and the default project is “"),
    ],
)  # fmt: skip
def test_an_id_that_leads_nowhere_fails_the_run_before_anything_is_claimed(
    bring, engine, storage, feed, clients, keys, sentence
):
    wrong = feed.model_copy(update=keys)
    inbox = storage.inbox("default")
    inbox.mkdir(parents=True)
    (inbox / "a.csv").write_text(ANN)
    with pytest.raises(FeedInvalid) as error:
        receive(ImportContext.of(wrong, engine, storage), RUN)
    assert str(error.value).startswith("default.yaml: ") and sentence in str(error.value)
    assert (inbox / "a.csv").exists() and ledger.of_run(engine, RUN.dag_id, RUN.run_id) == []
    with pytest.raises(FeedInvalid):
        bring(ANN, **keys)
    assert clients() == {}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"defaults": {"project": "default", "desk": "DEFAULT"}},
        {"defaults": {"desk": DESK}},
        {"defaults": {"project": PARTNERS.upper(), "desk": LONDON.upper()}},
        {"values": {"desk": {"London": LONDON, "here": "default", "-": ""}, "project": {"P": PARTNERS}}},
    ],
)
def test_ids_that_the_crm_has_are_fine(bring, feed, engine, keys):
    check_feed(feed.model_copy(update=keys), engine, utc_now())
    assert bring(ANN, **keys).counts.created == 1


def test_a_default_that_no_cell_could_hold_fails_the_run_before_anything_is_claimed(engine, storage, feed):
    storage.inbox("default").mkdir(parents=True)
    (storage.inbox("default") / "a.csv").write_text(ANN)
    with pytest.raises(FeedInvalid, match="`defaults.type`: Type “vip” is not one of"):
        receive(ImportContext.of(feed.model_copy(update={"defaults": {"type": "vip"}}), engine, storage), RUN)
    assert (storage.inbox("default") / "a.csv").exists()


def test_a_desk_that_goes_while_a_file_is_on_its_way_sends_no_client_elsewhere(engine, storage, feed, clients):
    storage.inbox("default").mkdir(parents=True)
    (storage.inbox("default") / "a.csv").write_text(ANN)
    context = ImportContext.of(feed.model_copy(update={"defaults": {"desk": DESK}}), engine, storage)
    (entry,) = receive(context, RUN)
    validate(context, entry.id)
    gone = ImportContext.of(feed.model_copy(update={"defaults": {"desk": NOWHERE}}), engine, storage)
    with pytest.raises(FeedInvalid, match="the CRM has no desk with this ID"):
        prepare(gone, entry.id)
    assert ledger.find(engine, entry.id).state == "failed" and clients() == {}


def test_the_feeds_default_for_the_date_of_creation_is_what_new_clients_get(bring, clients):
    assert bring(ANN, defaults={"created": "2020-02-29"}).counts.created == 1
    assert clients()["ann@example.com"]["created"].isoformat() == "2020-02-29T00:00:00+00:00"
