"""Looks numbers up where they are kept, at the moment somebody asks for them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

ByLabel = Callable[[], Mapping[str, float]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    family: type[CounterMetricFamily] | type[GaugeMetricFamily]
    name: str
    meaning: str
    label: str
    read: ByLabel

    def metric(self) -> Metric:
        if not self.label:
            return self.family(self.name, self.meaning, value=self.read()[""])
        metric = self.family(self.name, self.meaning, labels=[self.label])
        for value, number in self.read().items():
            metric.add_metric([value], number)
        return metric


class Readings(Collector):
    """Numbers that others keep. Nothing is called but when somebody asks; `read` may not block.

    A name says its unit (`_bytes`, `_seconds`), a counter's ends with `_total`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._readings: list[_Reading] = []
        registry.register(self)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show what goes up and down."""
        self._readings.append(_Reading(GaugeMetricFamily, name, meaning, "", lambda: {"": read()}))

    def gauges(self, name: str, meaning: str, label: str, read: ByLabel) -> None:
        """Show one number for each value of a label; the values must be few."""
        self._readings.append(_Reading(GaugeMetricFamily, name, meaning, label, read))

    def counter(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show what only goes up while the process lives."""
        self._readings.append(
            _Reading(CounterMetricFamily, name, meaning, "", lambda: {"": read()})
        )

    def counters(self, name: str, meaning: str, label: str, read: ByLabel) -> None:
        """Show what only goes up, for each value of a label; the values must be few."""
        self._readings.append(_Reading(CounterMetricFamily, name, meaning, label, read))

    def collect(self) -> Iterable[Metric]:
        """Return all numbers as they are now, without those that can't be read."""
        for reading in self._readings:
            try:
                yield reading.metric()
            except Exception:
                # Whatever is wrong with one, the others are wanted now.
                log.exception("metrics.reading_failed", name=reading.name)
