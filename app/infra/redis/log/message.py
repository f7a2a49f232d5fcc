"""How events lie in Redis, and travel: the same text in a stream's entry and in a message.

    epoch last first run_id
    {"type": …}
    {"type": …}

One event a line: an encoded event has no line break of its own. A line that begins with "!" is a
notice about the log itself.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

from core.ids import ConversationId, RunId

NOTICE = b"!"
GONE = b"!gone"
TRIMMED = b"!trimmed"


class Keys(NamedTuple):
    """What one conversation's log is called in Redis; all in one slot of a cluster."""

    stream: bytes
    meta: bytes

    @property
    def channel(self) -> bytes:
        """Return the channel's name: the stream's, since a script pays for each byte it is told."""
        return self.stream


class Said(NamedTuple):
    """Consecutive events of one run, as another node has said them."""

    epoch: str
    first: int
    last: int
    run_id: RunId
    events: list[str]


def keys_of(conversation_id: ConversationId) -> Keys:
    """Return the names of a conversation's keys; what is in braces decides the slot."""
    tag = f"colloquy:{{{quote(conversation_id)}}}"
    return Keys(f"{tag}:log".encode(), f"{tag}:meta".encode())


def conversation_of(channel: bytes) -> ConversationId:
    """Return whose channel `keys_of` has called so."""
    return ConversationId(unquote(channel.partition(b"{")[2].rpartition(b"}")[0].decode()))


def parted(bundle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the channels and the messages that one flush has for a node.

    A zero byte stands between them: an encoded event has none.
    """
    parts = iter(bundle.split(b"\0"))
    return zip(parts, parts, strict=True)


def run_name(run_id: RunId) -> str:
    """Return the id as it stands in a header: the client chose it, so it may have spaces."""
    return quote(run_id)


def pack(epoch: str, first: int, last: int, run: str, events: Sequence[str]) -> bytes:
    """Return the events of these sequences as one message; `run` is what `run_name` gave."""
    text = events[0] if first == last else "\n".join(events)
    # A model may have sent half of a surrogate pair: it goes through as it came.
    return f"{epoch} {last} {first} {run}\n{text}".encode("utf-8", "surrogatepass")


def unpack(message: bytes) -> Said:
    """Return what `pack` was given. Raises `ValueError` where it is something else."""
    header, *events = message.decode("utf-8", "surrogatepass").split("\n")
    epoch, last, first, run = header.split(" ")
    said = Said(epoch, int(first), int(last), RunId(unquote(run)), events)
    if said.last - said.first + 1 != len(events):
        raise ValueError(header)
    return said


def trimmed(epoch: str, base: int, base_messages: int) -> bytes:
    """Return the notice that a log has forgotten its events up to `base`."""
    return b"%b %b %d %d" % (TRIMMED, epoch.encode(), base, base_messages)


def read_trimmed(notice: bytes) -> tuple[str, int, int]:
    """Return what `trimmed` was given. Raises `ValueError` where it is something else."""
    _, epoch, base, base_messages = notice.split(b" ")
    return epoch.decode(), int(base), int(base_messages)
