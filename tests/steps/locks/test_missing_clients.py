"""The CRM changes clients that a list lacks, while the list is merged."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from include.schemas.feed import Feed, Hold
from tests.steps.locks.conftest import ANN, BEA, rows_of

pytestmark = pytest.mark.usefixtures("four_clients")


@pytest.mark.parametrize(
    "change, deactivated",
    [
        ("UPDATE clients SET active = false WHERE first_name = 'Cat'", ["Dan"]),
        ("DELETE FROM clients WHERE first_name = 'Cat'", ["Dan"]),
        ("UPDATE clients SET last_name = 'Lee' WHERE first_name = 'Cat'", ["Cat", "Dan"]),
        # The failed row of the file names Cat now.
        ("UPDATE clients SET email = 'x@example.com', email_key = 'x@example.com' WHERE first_name = 'Cat'", ["Dan"]),
    ],
)
def test_a_missing_client_that_the_crm_changes_meanwhile_is_judged_as_it_is_then(
    prepared, engine, before_writing, change, deactivated
):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE clients SET created_by_feed = 'north'"))

    def crm(_: sa.Connection) -> None:
        with engine.begin() as own:
            own.execute(sa.text(change))

    tries = before_writing(crm)
    file = prepared(*rows_of(ANN, BEA), "17,Cat,x@example.com")
    feed = Feed(name="north", title="North", snapshot="deactivate_missing", hold=Hold(deactivated_over=1))
    replace(file, context=replace(file.context, feed=feed)).merge()
    assert (len(tries), file.entry.state, file.entry.deactivated) == (2, "merged", len(deactivated))
    with engine.connect() as connection:
        query = "SELECT before->>'first_name' FROM client_changes WHERE outcome = 'deactivated' ORDER BY row"
        assert list(connection.scalars(sa.text(query))) == deactivated
