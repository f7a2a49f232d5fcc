"""Tools with effects: they post a task to the rig's sink, which writes down what it did."""

import os

import httpx
from pydantic import Field

from app.tools.tool import MayHaveHappened, ToolArguments, ToolContext, ToolUnavailable, tool
from core.principal import USER
from core.tools import Effect

SINK_VARIABLE = "CHAOS_SINK_URL"
_SECONDS = 5.0


class PostArguments(ToolArguments):
    """What is to be done."""

    task: str = Field(min_length=1, description="The task's name.")


@tool(
    name="post_once",
    description="Has a task done; the same call does it once.",
    effect=Effect.IDEMPOTENT_WRITE,
    roles={USER},
)
async def post_once(arguments: PostArguments, context: ToolContext) -> str:
    """Return the sink's receipt; what it did before under the key has the receipt of then."""
    return await _post("once", arguments, context)


@tool(
    name="post_each",
    description="Has a task done, each time it is called.",
    effect=Effect.WRITE,
    roles={USER},
)
async def post_each(arguments: PostArguments, context: ToolContext) -> str:
    """Return the sink's receipt."""
    return await _post("each", arguments, context)


async def _post(way: str, arguments: PostArguments, context: ToolContext) -> str:
    url = f"{os.environ[SINK_VARIABLE]}/{way}"
    headers = {"Idempotency-Key": context.idempotency_key}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS) as client:
            answer = await client.post(url, json={"task": arguments.task}, headers=headers)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise ToolUnavailable("The sink is not there.") from None
    except httpx.HTTPError:
        raise MayHaveHappened("The sink has not answered.") from None
    return answer.text
