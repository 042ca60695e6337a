"""No DAG lives here: what Airflow tells the outside for us, as asset events and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException

if TYPE_CHECKING:
    from include.metrics import Measure
    from include.steps.announce import Announcement

# Other DAGs may be scheduled on it: `schedule=[Asset("clients", uri="crm://clients")]`.
CLIENTS = Asset("clients", uri="crm://clients")


def emit(measures: Iterable[Measure]) -> None:
    """To StatsD or OpenTelemetry, whichever Airflow's own settings say; to nobody by default."""
    from airflow.sdk.observability import stats

    for measure in measures:
        getattr(stats, measure.kind)(measure.name, measure.value, tags=measure.tags)


def tell(announcement: Announcement, outlet_events: Any) -> None:
    """An event for who waits for the clients to change. A task that succeeds always emits one, hence the skip."""
    emit(announcement.measures)
    if announcement.event is None:
        raise AirflowSkipException("No client has changed, so there is no event.")
    outlet_events[CLIENTS].extra = announcement.event
