"""A copy of a log is compared with Redis as often as it may lack something."""

from app.infra.redis.log.message import keys_of, pack
from app.infra.redis.log.mirror import Meta, Mirror
from core.ids import ConversationId

C = ConversationId("c")


def read_mirror() -> Mirror:
    """Return a copy that somebody reads."""
    mirror = Mirror(C, keys_of(C), lambda stale: None, lambda gone: None)
    mirror.begin(Meta("e", 0, 0, 0))
    assert mirror.log is not None
    mirror.log.watch(lambda: None)
    mirror.joined.set()
    return mirror


def rounds_compared(mirror: Mirror, rounds: int) -> list[int]:
    return [number for number in range(1, rounds + 1) if mirror.pass_round()]


def test_the_longer_it_is_silent_the_seldomer_it_is_compared() -> None:
    assert rounds_compared(read_mirror(), 32) == [1, 3, 7, 15, 23, 31]


def test_what_is_heard_needs_no_comparison_and_makes_the_next_come_soon() -> None:
    mirror = read_mirror()
    rounds_compared(mirror, 20)
    mirror.hear(pack("e", 1, 1, "r", ["1"]))
    assert rounds_compared(mirror, 4) == [2, 4]


def test_one_that_came_back_is_compared_soon() -> None:
    mirror = read_mirror()
    rounds_compared(mirror, 20)
    mirror.forget_silence()
    assert rounds_compared(mirror, 3) == [1, 3]


def test_one_that_is_known_to_be_behind_is_compared_in_every_round() -> None:
    mirror = read_mirror()
    mirror.hear(pack("e", 5, 5, "r", ["5"]))
    assert mirror.is_behind
    assert rounds_compared(mirror, 5) == [1, 2, 3, 4, 5]


def test_one_that_nobody_reads_is_not_compared() -> None:
    mirror = read_mirror()
    mirror.joined.clear()
    assert rounds_compared(mirror, 20) == []
