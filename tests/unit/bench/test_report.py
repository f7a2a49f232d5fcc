"""The benchmark's table says what was measured and whether it is enough."""

from scripts.bench.plan import Result
from scripts.bench.report import faults, table

BARE = {"paced 200": Result(tokens=1000, seconds=1, cpu=0.05, p50=1.0, p95=2.0, p99=3.0)}


def line(text: str, label: str) -> str:
    """Return the table's first line with this label."""
    return next(each for each in text.splitlines() if each.startswith(label))


def test_a_bar_in_units_of_the_bare_relay_is_judged_by_the_ratio() -> None:
    for cpu, verdict in ((0.099, "met"), (0.101, "MISSED")):
        ours = {"paced 200": Result(tokens=1000, seconds=1, cpu=cpu, p50=1.0)}
        cells = line(table(BARE, {}, ours, [200]), "200 streams of 30/s").split()
        assert cells[-1] == verdict
        assert cells[-3:-1] == ["<=", "2x"]


def test_a_bar_in_milliseconds_is_judged_by_the_value() -> None:
    for p50, verdict in ((8.0, "met"), (8.01, "MISSED")):
        ours = {"straight": Result(tokens=100, seconds=1, cpu=1.0, p50=p50, p95=9.0)}
        assert line(table({}, {}, ours, []), "straight").endswith(verdict)


def test_what_was_not_measured_is_not_met() -> None:
    assert line(table(BARE, {}, {}, [200]), "200 streams of 30/s").endswith("not measured")


def test_faults_are_told_with_the_first_of_them() -> None:
    [told] = faults("colloquy", {"idle": Result(faults=["no room", "no room"]), "x": Result()})
    assert told == "colloquy, idle: 2 faults, the first: no room"
