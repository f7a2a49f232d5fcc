"""The simulation's clock and its queues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulate.event_loop import EventLoop, Server
from scripts.simulate.figures import peak_rate, percentile, table

SECONDS = st.lists(st.floats(0, 100), max_size=30)


@given(times=SECONDS)
def test_nothing_happens_before_its_time_and_time_never_goes_back(times: list[float]) -> None:
    loop = EventLoop()
    happened: list[tuple[float, float]] = []

    def plan(time: float) -> None:
        loop.at(time, lambda: happened.append((loop.now, time)))

    for time in times:
        plan(time)
    loop.run()
    assert [now for now, _ in happened] == sorted(times)
    assert all(now == time for now, time in happened)


def test_what_is_due_at_the_same_time_happens_in_the_order_it_was_asked() -> None:
    loop, heard = EventLoop(), list[int]()
    for number in range(5):
        loop.at(1.0, lambda number=number: heard.append(number))  # type: ignore[misc]
    loop.run()
    assert heard == [0, 1, 2, 3, 4]


def test_what_is_due_later_stays() -> None:
    loop, heard = EventLoop(), list[str]()
    loop.at(1.0, lambda: heard.append("sooner"))
    loop.at(3.0, lambda: heard.append("later"))
    loop.run(until=2.0)
    assert heard == ["sooner"]
    loop.run()
    assert heard == ["sooner", "later"]


def test_a_loop_that_was_stopped_runs_nothing_more() -> None:
    loop, heard = EventLoop(), list[str]()
    loop.at(1.0, loop.stop)
    loop.at(1.0, lambda: heard.append("after it"))
    loop.run()
    assert heard == []


@given(work=SECONDS, workers=st.integers(1, 4))
def test_a_server_works_no_faster_than_its_workers_can(work: list[float], workers: int) -> None:
    server = Server(EventLoop(), workers)
    done = [server.serve(seconds) for seconds in work]
    assert server.busy_seconds == pytest.approx(sum(work))
    assert all(end >= seconds for end, seconds in zip(done, work, strict=True))
    assert max(done, default=0.0) >= sum(work) / workers - 1e-9


def test_a_percentile_is_one_of_the_samples() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert percentile([], 0.5) != percentile([], 0.5)


def test_the_peak_rate_is_that_of_the_busiest_window() -> None:
    assert peak_rate([0.0, 5.0, 5.1, 5.9, 6.5]) == 3
    assert peak_rate([]) == 0


def test_a_table_has_its_columns_below_each_other() -> None:
    assert table("Title", ("a", "b"), [["x", 1234.5], ["longer", 0.5]]).splitlines() == [
        "Title",
        "",
        "  a           b",
        "  x       1,234",
        "  longer   0.50",
    ]
