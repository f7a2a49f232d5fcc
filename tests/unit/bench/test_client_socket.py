"""The load driver's WebSocket client reads frames wherever a read ends."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from scripts.bench.client_socket import ClientSocket
from tests.support.fake_transport import FakeTransport

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"


@given(
    texts=st.lists(st.integers(0, 70_000).map(lambda size: b"x" * size), max_size=4),
    cuts=st.lists(st.integers(0), max_size=8),
)
async def test_frames_do_not_depend_on_where_reads_end(texts: list[bytes], cuts: list[int]) -> None:
    heard: list[bytes] = []
    client = ClientSocket(b"GET", lambda payload, _: heard.append(payload), lambda _: None)
    client.connection_made(FakeTransport())
    data = ACCEPTED + b"".join(Frame(Opcode.TEXT, text).serialize(mask=False) for text in texts)
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(borders):
        client.data_received(data[start:end])
    assert client.opened.done()
    assert heard == texts


async def test_what_is_sent_is_one_masked_frame() -> None:
    transport = FakeTransport()
    client = ClientSocket(b"", lambda payload, _: None, lambda _: None)
    client.connection_made(transport)
    client.send_text("x" * 200)
    assert bytes(transport.written) == b"\x81\xfe\x00\xc8\0\0\0\0" + b"x" * 200


async def test_a_close_frame_says_why() -> None:
    reasons: list[str] = []
    client = ClientSocket(b"GET", lambda payload, _: None, reasons.append)
    client.connection_made(FakeTransport())
    frame = Frame(Opcode.CLOSE, (4101).to_bytes(2, "big") + b"slow").serialize(mask=False)
    client.data_received(ACCEPTED + frame)
    client.connection_lost(None)
    assert reasons == ["closed with 4101 slow"]


async def test_a_ping_is_answered_with_what_it_says() -> None:
    transport = FakeTransport()
    client = ClientSocket(b"", lambda payload, _: None, lambda _: None)
    client.connection_made(transport)
    client.data_received(ACCEPTED + Frame(Opcode.PING, b"abcd").serialize(mask=False))
    assert bytes(transport.written) == b"\x8a\x84\0\0\0\0abcd"
