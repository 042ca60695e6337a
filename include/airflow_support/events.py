"""Announce to other DAGs and to dashboards what imports did: an asset event and metrics."""

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
    """Send metrics to StatsD or OpenTelemetry, as Airflow's settings say; Airflow sends none by default."""
    from airflow.sdk.observability import stats

    for measure in measures:
        getattr(stats, measure.kind)(measure.name, measure.value, tags=measure.tags)


def announce(announcement: Announcement, outlet_events: Any) -> None:
    """Send the metrics, and an event for the DAGs that are scheduled on the asset `clients`.

    Raises AirflowSkipException when no client has changed: a task that succeeds always emits its event.
    """
    emit(announcement.measures)
    if announcement.event is None:
        raise AirflowSkipException("No client has changed, so there is no event.")
    outlet_events[CLIENTS].extra = announcement.event
