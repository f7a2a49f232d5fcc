"""Makes known to those who speak which conversations this node reads."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Container, Coroutine, Iterable

from app.infra.redis.log.message import conversation_of, keys_of
from app.infra.redis.log.mirror import Mirror
from app.infra.redis.log.reader import LogReader
from core.ids import ConversationId

RETRY_SECONDS = 0.2


class Attendance:
    """Puts this node on the list of those who are told, or off it; see `scripts`.

    check: compares copies with what Redis says, by which the node joins; returns those of which
        it said nothing. is_read: the conversations that this node reads. spawn: as in `Mirrors`.
    """

    def __init__(
        self,
        reader: LogReader,
        check: Callable[[Iterable[Mirror]], Awaitable[Collection[Mirror]]],
        is_read: Container[ConversationId],
        spawn: Callable[[Coroutine[object, object, None]], None],
    ) -> None:
        self._reader = reader
        self._check = check
        self._is_read = is_read
        self._spawn = spawn
        self._joining: dict[ConversationId, Mirror] = {}
        self._is_joining = False
        self._parting: set[ConversationId] = set()

    def join(self, mirror: Mirror) -> None:
        """Be told what is said in a conversation; soon, and with what was missed until then."""
        self._joining[mirror.conversation_id] = mirror
        if not self._is_joining:
            self._is_joining = True
            self._spawn(self._join_all())

    def part(self, channel: bytes) -> None:
        """Be told no more of the conversation that has this channel."""
        conversation_id = conversation_of(channel)
        if conversation_id not in self._parting:
            self._parting.add(conversation_id)
            self._spawn(self._part_from(conversation_id))

    async def _join_all(self) -> None:
        try:
            while self._joining:
                # What came with the same read is asked together.
                await asyncio.sleep(0)
                mirrors, self._joining = self._joining, {}
                left = await self._check(mirrors.values())
                for mirror in left:
                    if mirror.conversation_id in self._is_read:
                        self._joining[mirror.conversation_id] = mirror
                if left:
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._is_joining = False

    async def _part_from(self, conversation_id: ConversationId) -> None:
        try:
            await self._reader.part(
                keys_of(conversation_id), lambda: conversation_id in self._is_read
            )
        except OSError:
            # The next message that nobody reads asks again.
            pass
        finally:
            self._parting.discard(conversation_id)
