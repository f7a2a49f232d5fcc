"""What a connection tells its receiver, byte by byte, without a network."""

import pytest

from app.infra.llm.http_connection import HttpConnection, ResponseHead
from tests.support.fake_transport import FakeTransport

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Log:
    """A receiver that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def head(self, head: ResponseHead) -> None:
        self.told.append(head.status)

    def body(self, data: bytes) -> None:
        self.told.append(data)

    def end(self) -> None:
        self.told.append("end")

    def lost(self, *, is_stale: bool) -> None:
        self.told.append("stale" if is_stale else "lost")


class Line:
    """A connection with a fake transport and a request under way."""

    def __init__(self) -> None:
        self.free: list[HttpConnection] = []
        self.transport = FakeTransport()
        self.connection = HttpConnection(self.free.append)
        self.connection.connection_made(self.transport)
        self.log = Log()
        self.connection.send(REQUEST, self.log)

    def again(self) -> Log:
        """Send another request and return its receiver."""
        log = Log()
        self.connection.send(REQUEST, log)
        return log


def test_chunks_that_came_in_one_read_are_one_piece() -> None:
    line = Line()
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    line.connection.data_received(head + b"1\r\na\r\n2\r\nbc\r\n")
    line.connection.data_received(b"1\r\nd\r\n0\r\n\r\n")
    assert line.log.told == [200, b"abc", b"d", "end"]


def test_a_whole_response_frees_the_connection_for_the_next() -> None:
    line = Line()
    line.connection.data_received(EMPTY)
    assert line.free == [line.connection]
    second = line.again()
    line.connection.data_received(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nhi")
    assert second.told == [500, b"hi", "end"]


def test_a_response_of_1xx_is_not_the_response() -> None:
    line = Line()
    line.connection.data_received(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + EMPTY)
    assert line.log.told == [200, "end"]


def test_a_connection_that_the_server_wants_closed_is_not_used_again() -> None:
    line = Line()
    line.connection.data_received(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )
    assert line.free == []
    assert line.transport.is_closing()


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    line = Line()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nall")
    line.connection.connection_lost(None)
    assert line.log.told == [200, b"all", "end"]


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_a_connection_that_breaks_in_the_middle_is_lost(error: Exception | None) -> None:
    line = Line()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
    line.connection.connection_lost(error)
    assert line.log.told == [200, b"half", "lost"]


def test_a_used_connection_that_closes_before_it_answers_is_stale() -> None:
    line = Line()
    line.connection.data_received(EMPTY)
    second = line.again()
    line.connection.connection_lost(None)
    assert second.told == ["stale"]


def test_a_new_connection_that_closes_before_it_answers_is_lost() -> None:
    line = Line()
    line.connection.connection_lost(ConnectionResetError())
    assert line.log.told == ["lost"]


def test_what_is_not_http_is_lost() -> None:
    line = Line()
    line.connection.data_received(b"SSH-2.0-OpenSSH\r\n")
    assert line.log.told == ["lost"]
    assert line.transport.is_closing()


def test_an_aborted_connection_tells_nothing_more() -> None:
    line = Line()
    line.connection.abort()
    line.connection.connection_lost(None)
    assert line.log.told == []


def test_who_gives_up_late_does_not_break_the_next_request() -> None:
    line = Line()
    line.connection.data_received(EMPTY)
    second = line.again()
    line.connection.abandon(line.log)
    line.connection.leave(line.log)
    assert line.connection.is_open
    line.connection.data_received(EMPTY)
    assert second.told == [200, "end"]


def test_bytes_that_nobody_asked_for_close_the_connection() -> None:
    line = Line()
    line.connection.data_received(EMPTY)
    line.connection.data_received(b"HTTP/1.1 408 Too Late\r\n\r\n")
    assert not line.connection.is_open
