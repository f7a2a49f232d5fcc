"""Carries out the commands of one socket, and has an answer to each."""

import asyncio
from collections.abc import Callable

import structlog

from app.infra.websocket.decisions import CancelRun, Command, Follow, Greet, StartRun, Unfollow
from app.infra.websocket.frame_reader import error_frame
from app.infra.websocket.frames import (
    Accepted,
    ControlFrame,
    Error,
    Limits,
    Ok,
    Subscribed,
    Welcome,
)
from app.infra.websocket.house import House, SocketLimits
from app.infra.websocket.protocol import SocketProtocol
from app.infra.websocket.subscriptions import Subscription, Subscriptions
from core.errors import AppError, DeadlineExceeded, Internal, NotFound, StorageUnavailable
from core.ids import ConversationId
from core.ports.presence import Connection

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Desk:
    """Asks the floors below for one socket."""

    __slots__ = ("_connection_id", "_house", "_limits", "_protocol", "_subscriptions")

    def __init__(
        self,
        house: House,
        limits: SocketLimits,
        connection_id: str,
        protocol: SocketProtocol,
        subscriptions: Subscriptions,
    ) -> None:
        self._house = house
        self._limits = limits
        self._connection_id = connection_id
        self._protocol = protocol
        self._subscriptions = subscriptions

    async def answer(self, command: Command, expel: Callable[[], None]) -> ControlFrame:
        """Return the answer, an `Error` where the command could not be carried out.

        expel: closes the socket for good; kept with the list of who is connected.
        Cancelling leaves open whether the command was carried out: the client repeats it.
        """
        try:
            async with asyncio.timeout(self._limits.command_seconds):
                return await self._carry_out(command, expel)
        except AppError as error:
            fault = error
        except TimeoutError:
            fault = DeadlineExceeded("The server took too long.")
        except Exception:
            log.exception("socket_command_failed", command=type(command).__name__)
            fault = Internal("Something went wrong in the server.")
        if isinstance(command, Follow):
            self._unfollow(command.conversation_id)
        return error_frame(command.id, fault)

    async def renew(self, subscription: Subscription) -> Error | None:
        """Let a subscription go on with a snapshot; for where the log has forgotten what is next.

        Returns what to tell the client where the conversation is gone. Raises `AppError` or
        `TimeoutError` where it can't be read on.
        """
        reading = subscription.reading
        if reading is None:
            return None
        if subscription.is_renewed:
            raise StorageUnavailable("A reading that was just renewed is stale again.")
        subscription.is_renewed = True
        is_gone = False
        try:
            async with asyncio.timeout(self._limits.command_seconds):
                await reading.renew()
        except NotFound:
            is_gone = True
        if subscription.reading is None:
            # It was ended meanwhile, and renewing has opened it again.
            reading.close()
            return None
        if not is_gone:
            self._subscriptions.mark(subscription)
            return None
        self._unfollow(subscription.conversation_id)
        message = f"The conversation {subscription.conversation_id} is no longer there."
        return error_frame(None, NotFound(message))

    async def _carry_out(self, command: Command, expel: Callable[[], None]) -> ControlFrame:
        match command:
            case Greet():
                return await self._greet(command, expel)
            case Follow():
                return await self._follow(command)
            case StartRun():
                return await self._start_run(command)
            case CancelRun():
                await self._house.turns.cancel(command.principal, command.run_id)
            case Unfollow():
                self._unfollow(command.conversation_id)
        return Ok(id=command.id)

    async def _greet(self, command: Greet, expel: Callable[[], None]) -> Welcome:
        house, limits = self._house, self._limits
        principal = await house.identify(command.hello)
        self._protocol.welcome(principal)
        connection = Connection(self._connection_id, principal, house.node, house.clock.now())
        house.presence.join(connection, expel)
        log.debug("socket_welcomed", principal=principal.id)
        return Welcome(
            id=command.id,
            node=house.node,
            connection_id=self._connection_id,
            principal=principal.id,
            beat_seconds=limits.beat_seconds,
            limits=Limits(
                frame_max_bytes=limits.frame_max_bytes, subscriptions=limits.subscriptions
            ),
        )

    async def _follow(self, command: Follow) -> Subscribed:
        conversation_id = command.conversation_id
        subscription = self._subscriptions.add(conversation_id)
        reading = await self._house.readings.open(
            command.principal, conversation_id, command.after, subscription.wake
        )
        self._subscriptions.start(subscription, reading)
        self._count()
        return Subscribed(
            id=command.id,
            conversation_id=conversation_id,
            epoch=reading.epoch,
            sequence=reading.sequence,
            recovered=reading.recovered,
        )

    def _unfollow(self, conversation_id: ConversationId) -> None:
        self._subscriptions.remove(conversation_id)
        self._protocol.forget(conversation_id)
        self._count()

    def _count(self) -> None:
        self._house.presence.update(self._connection_id, len(self._subscriptions))

    async def _start_run(self, command: StartRun) -> Accepted:
        admission = await self._house.turns.submit(command.request)
        return Accepted(
            id=command.id,
            run_id=admission.run_id,
            conversation_id=admission.conversation_id,
            duplicate=admission.duplicate,
        )
