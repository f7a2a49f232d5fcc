"""Reads what a node tells Prometheus, as Prometheus reads it."""

from prometheus_client.parser import text_string_to_metric_families

from app.infra.telemetry.metrics import Metrics


async def numbers_of(metrics: Metrics) -> dict[str, float]:
    """Return what is told now, by name and labels."""
    return numbers_in((await metrics.text()).decode())


def numbers_in(text: str) -> dict[str, float]:
    """Return each number by its name, as in `runs_total{status=done}`."""
    return {
        sample.name + "".join(f"{{{key}={value}}}" for key, value in sample.labels.items()): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
