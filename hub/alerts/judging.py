"""Which conditions hold, judged by the metrics of this process as Prometheus would judge them. Pure."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client.core import Metric

from hub.alerts.rules import ALERTS, SILENCED, Alert, Figure
from hub.mirror.alerts import Which

COMPARE: Mapping[str, Callable[[float, float], bool]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt}


class Sample(NamedTuple):
    """One number of a metric."""

    labels: Mapping[str, str]
    number: float


Samples = Mapping[str, list[Sample]]


def samples_of(families: Iterable[Metric]) -> Samples:
    """Return all samples of a registry by their names."""
    found: dict[str, list[Sample]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append(Sample(sample.labels, sample.value))
    return found


def holding(samples: Samples, alerts: Iterable[Alert] = ALERTS) -> dict[Which, float]:
    """Return which alerts' conditions hold, and the number of each."""
    silent = {label for label, number in _grouped(samples, Figure(SILENCED), "platform", max).items() if number == 1}
    found = {}
    for alert in alerts:
        of = min if alert.is_ == "<" else max
        limits = _grouped(samples, Figure(alert.limit), alert.by, max) if isinstance(alert.limit, str) else None
        for label, number in _grouped(samples, alert.figure, alert.by, of).items():
            limit = alert.limit if limits is None else limits.get(label)
            if limit is None or not COMPARE[alert.is_](number, float(limit)):
                continue
            if not (alert.silenced and alert.by == "platform" and label in silent):
                found[Which(alert.name, label if alert.by == "platform" else "")] = number
    return found


def _grouped(samples: Samples, figure: Figure, by: str, of: Callable[[float, float], float]) -> dict[str, float]:
    """Return the largest or smallest number of a figure for each value of the label."""
    found: dict[str, float] = {}
    for labels, number in samples.get(figure.metric, ()):
        if figure.label and labels.get(figure.label) != figure.value:
            continue
        label = labels.get(by, "")
        found[label] = number if label not in found else of(found[label], number)
    return found
