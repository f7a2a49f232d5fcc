"""What waits to be sent beside events."""

from app.infra.websocket.frames import Pong, encode
from app.infra.websocket.outbox import BEAT, Outbox

SIZE = len(encode(Pong(id="1")))


def test_frames_leave_in_the_order_they_came() -> None:
    outbox = Outbox(1000)
    assert outbox.put(Pong(id="1"))
    assert outbox.put(Pong(id="2"))
    assert [outbox.take(), outbox.take()] == [encode(Pong(id="1")), encode(Pong(id="2"))]
    assert outbox.take() is None


def test_a_full_outbox_refuses_until_something_left() -> None:
    outbox = Outbox(2 * SIZE)
    assert [outbox.put(Pong(id=name)) for name in "123"] == [True, True, False]
    outbox.take()
    assert outbox.put(Pong(id="4"))


def test_the_bound_counts_bytes() -> None:
    assert not Outbox(SIZE).put(Pong(id="é"))


def test_beats_do_not_pile_up() -> None:
    outbox = Outbox(1)
    outbox.put_beat()
    outbox.put_beat()
    assert [outbox.take(), outbox.take()] == [BEAT, None]


def test_a_beat_waits_for_answers() -> None:
    outbox = Outbox(1000)
    outbox.put_beat()
    outbox.put(Pong(id="1"))
    assert [outbox.take(), outbox.take()] == [encode(Pong(id="1")), BEAT]
