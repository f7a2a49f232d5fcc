"""Says how the runs of killed nodes paused, as `scripts.simulate --against` reads it."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from core.settings import Settings
from scripts.chaos.history import Json, Record
from scripts.chaos.pauses import pauses_of


def pause_record(records: Sequence[Record], nodes: int, settings: Settings) -> Json:
    """Return the record of a history of kills; `RealRun` says what its figures mean.

    nodes: of the rig, each of which is back before the leases of its runs have run out.
    """
    hit = [len(record.facts["runs"]) for record in records if record.kind == "fault"]
    texts = first_texts_of(records)
    return {
        "lease_seconds": settings.lease_seconds,
        "beat_seconds": settings.lease_beat_seconds,
        "scan_seconds": settings.scan_seconds,
        # The killed one counts twice: it takes runs over like any other.
        "nodes": nodes + 1,
        "runs_per_kill": round(fmean(hit), 2) if hit else 1,
        "first_text_seconds": round(median(texts), 3) if texts else 0.0,
        "pauses_seconds": [round(pause, 3) for pause in pauses_of(records)],
    }


def first_texts_of(records: Iterable[Record]) -> list[float]:
    """Return how long after `run.resumed` each new attempt's first text came to who had asked."""
    asker: dict[str, str] = {}
    resumed: dict[str, float] = {}
    found: list[float] = []
    for record in records:
        if record.kind == "sent" and record.frame["type"] == "run":
            asker.setdefault(record.frame["run_id"], record.client)
        if record.kind != "received" or record.frame["type"] != "events":
            continue
        run = record.frame["run_id"]
        if asker.get(run) != record.client:
            continue
        for event in record.frame["events"]:
            if event["type"] == "CUSTOM" and event["name"] == "run.resumed":
                resumed[run] = record.t
            elif event["type"] == "TEXT_MESSAGE_CONTENT" and run in resumed:
                found.append(record.t - resumed.pop(run))
    return found
