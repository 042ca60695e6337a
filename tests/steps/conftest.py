"""What steps are tested in."""

from __future__ import annotations

import pytest

from include.steps.context import ImportContext


@pytest.fixture
def context(feed, engine, place) -> ImportContext:
    """A feed whose inbox is in a folder, in a bucket or on a server; a test file may have another context of its own."""
    return ImportContext.of(feed.model_copy(update={"inbox": place.inbox}), engine, place.storage)
