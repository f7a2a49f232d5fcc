"""AG-UI's HTTP binding: any AG-UI client runs a conversation against it."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from app.api.caller import Caller
from app.api.sse import IDLE_SECONDS, cursor_of, event_stream, stored_event_stream
from app.turns.following import Follower
from app.turns.replay import Replay
from app.turns.run_input import read_run_input
from app.turns.turns import Turns
from core.events import RunAgentInput
from core.ids import ConversationId
from core.principal import Principal
from core.runs import RunRequest


@dataclass(frozen=True, slots=True)
class AguiDoor:
    """What the AG-UI routes talk to."""

    turns: Turns
    follower: Follower
    replay: Replay

    async def run(self, request: RunRequest) -> StreamingResponse:
        """Answer a message with the events of its run; a finished run is told from storage."""
        principal, conversation_id = request.principal, request.conversation_id
        head = await self.follower.head(principal, conversation_id)
        admission = await self.turns.submit(request)
        if admission.duplicate:
            stored = await self.replay.events(principal, request.run_id)
            if stored is not None:
                return stored_event_stream(stored)
            head = None
        following = await self.follower.open(principal, conversation_id, head)
        return event_stream(following.events_of(request.run_id, IDLE_SECONDS))


def agui_routes(door: AguiDoor) -> APIRouter:
    """Return the routes of AG-UI and of resuming."""
    router = APIRouter(tags=["agui"])

    @router.post("/agui", response_class=StreamingResponse)
    async def run(body: RunAgentInput, caller: Caller) -> StreamingResponse:
        """Answer the user's last message; the stream is AG-UI events, `id:` is the cursor."""
        return await door.run(_read(body, caller))

    @router.get("/conversations/{conversation_id}/events", response_class=StreamingResponse)
    async def events(conversation_id: str, request: Request, caller: Caller) -> StreamingResponse:
        """Stream a conversation's events after `Last-Event-ID`, then the live ones."""
        following = await door.follower.open(
            caller, ConversationId(conversation_id.lower()), cursor_of(request)
        )
        return event_stream(following.events(IDLE_SECONDS))

    return router


def _read(body: RunAgentInput, principal: Principal) -> RunRequest:
    return read_run_input(
        body.run_id,
        body.thread_id,
        body.messages,
        body.forwarded_props,
        principal,
        resume=body.resume,
    )
