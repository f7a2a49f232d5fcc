"""Reads from a history how long the runs that a fault hit were silent, as their clients saw it."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scripts.chaos.history import Json, Record

# What happens later than this after a fault is no pause of that fault's.
_WINDOW_SECONDS = 90.0
_STAMP = re.compile(r"@(\d{18})")
_HEARD = ("TEXT_MESSAGE_CONTENT", "RUN_FINISHED", "RUN_ERROR")


@dataclass(frozen=True, slots=True)
class Spread:
    """How a set of durations lies, in seconds; all None where there are none."""

    count: int
    p50: float | None = None
    p95: float | None = None
    longest: float | None = None


def spread_of(durations: Iterable[float]) -> Spread:
    """Return where durations lie."""
    ordered = sorted(durations)
    if not ordered:
        return Spread(0)
    return Spread(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.95), ordered[-1])


def pauses_of(records: Iterable[Record]) -> list[float]:
    """Return, for each run that a fault hit, the longest silence that began before its recovery.

    A run is heard when the client that asked for it gets text of it, or its last event. The
    pause is the longest gap between two such moments that ends after the fault. A run that had
    said nothing yet is silent since the fault, but not while its conversation had to wait for
    another run: it can't speak then, whatever happens.
    """
    hearing = _Hearing()
    faults: list[tuple[float, str]] = []
    for record in records:
        if record.kind == "fault":
            faults += [(record.t, run) for run in record.facts["runs"]]
        else:
            hearing.take(record)
    found = (_pause(max(t, hearing.ready[run]), t, hearing.heard[run]) for t, run in faults)
    return [pause for pause in found if pause is not None]


@dataclass(slots=True)
class _Hearing:
    """What the clients that asked for runs heard of them.

    heard: when, of each run. ready: since when it was its turn to speak, 0 where it always was.
    """

    heard: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ready: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _asker: dict[str, str] = field(default_factory=dict)
    # By client: the run that it heard last, and when.
    _last: dict[str, tuple[str, float]] = field(default_factory=dict)
    # By client and number of the command.
    _asked: dict[tuple[str, str], str] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def take(self, record: Record) -> None:
        """Take the next record."""
        match record.kind, record.frame.get("type"):
            case "sent", "run":
                self._ask(record.frame, record)
            case "received", "error":
                if record.frame["code"] == "busy":
                    self._refused.add(self._asked.get((record.client, record.frame["id"]), ""))
            case "received", "events":
                self._hear(record.frame, record)

    def _ask(self, frame: Json, record: Record) -> None:
        run = frame["run_id"]
        self._asker.setdefault(run, record.client)
        self._asked[record.client, frame.get("id", "")] = run
        if run in self._refused:
            self._refused.remove(run)
            self.ready[run] = record.t

    def _hear(self, frame: Json, record: Record) -> None:
        run = frame["run_id"]
        if run is None or self._asker.get(run) != record.client:
            return
        before, t = self._last.get(record.client, (run, 0.0))
        if before != run and not self.heard[run]:
            self.ready[run] = max(self.ready[run], t)
        self._last[record.client] = run, record.t
        if _is_heard(frame):
            self.heard[run].append(record.t)


def delays_of(records: Iterable[Record]) -> list[tuple[float, float]]:
    """Return when each stamped token came, and how long after the model had sent it.

    Only what the one who asked was told: others may read it later, from the log.
    """
    asker: dict[str, str] = {}
    found: list[tuple[float, float]] = []
    for record in records:
        if record.kind == "sent" and record.frame["type"] == "run":
            asker.setdefault(record.frame["run_id"], record.client)
        if record.kind != "received" or record.frame["type"] != "events":
            continue
        if asker.get(record.frame["run_id"]) != record.client:
            continue
        for event in record.frame["events"]:
            if event["type"] == "TEXT_MESSAGE_CONTENT":
                stamps = _STAMP.findall(event["delta"])
                found += [(record.t, record.t - int(stamp) / 1e9) for stamp in stamps]
    return found


def farewells_of(records: Iterable[Record]) -> tuple[int, int]:
    """Return how many connections a leaving node had, and how many of them it told."""
    place: dict[int, str] = {}
    told: set[int] = set()
    leaving: dict[str, float] = {}
    had = had_told = 0
    for record in records:
        if record.kind == "opened":
            place[record.connection] = record.facts["url"]
        elif record.kind == "fault" and record.facts["what"].startswith("SIGTERM "):
            leaving[record.facts["what"].removeprefix("SIGTERM ")] = record.t
        elif record.kind == "received" and record.frame["type"] == "going_away":
            told.add(record.connection)
        elif record.kind == "closed":
            begun = leaving.get(place[record.connection])
            if begun is not None and record.t - begun < 16.0 and record.facts["code"] != 1000:
                had += 1
                had_told += record.connection in told
    return had, had_told


def _is_heard(frame: Json) -> bool:
    return frame["type"] == "events" and any(each["type"] in _HEARD for each in frame["events"])


def _pause(begin: float, t: float, heard: Sequence[float]) -> float | None:
    """Return the longest gap that ends after `t`; None where nothing came after it.

    begin: when the silence of a run began that had not been heard before `t`.
    """
    first = bisect_right(heard, t)
    after = [moment for moment in heard[first:] if moment - t < _WINDOW_SECONDS]
    if not after:
        return None
    moments = [heard[first - 1] if first else begin, *after]
    return max(later - earlier for earlier, later in pairwise(moments))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
