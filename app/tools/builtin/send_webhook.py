"""The tool that posts to an address that the operator has named."""

from pydantic import Field, JsonValue

from app.tools.services import needed
from app.tools.tool import (
    MayHaveHappened,
    Repairable,
    ToolArguments,
    ToolContext,
    ToolError,
    ToolUnavailable,
    tool,
)
from core.ports.web import FetchFailed
from core.principal import USER
from core.tools import Effect


class SendWebhookArguments(ToolArguments):
    """What is to be sent, and where to."""

    name: str = Field(min_length=1, max_length=32, description="The webhook's name.")
    body: dict[str, JsonValue] = Field(description="The JSON object that is posted.")


@tool(
    name="send_webhook",
    description=(
        "Posts a JSON object to a service that the operator has set up under a name. A person is"
        " asked first. A wrong name is answered with those that there are."
    ),
    effect=Effect.WRITE,
    roles={USER},
    needs={"webhooks"},
    needs_approval=True,
    is_outside=True,
    # Above what connecting and answering may take.
    deadline_seconds=30.0,
)
async def send_webhook(arguments: SendWebhookArguments, context: ToolContext) -> str:
    """Return what the service answered.

    The call's key goes along as `Idempotency-Key`, so that a service that knows about such keys
    does nothing twice where a person has an unknown call repeated.
    """
    webhooks = needed(context.services.webhooks)
    name = arguments.name
    if name not in webhooks.names:
        raise Repairable(f"No webhook is called {name}. There are: {', '.join(webhooks.names)}.")
    headers = {"Idempotency-Key": context.idempotency_key}
    try:
        status, text = await webhooks.send(name, arguments.body, headers)
    except FetchFailed as failed:
        raise _as_failure(failed) from None
    return _told(name, status, text)


def _as_failure(failed: FetchFailed) -> Exception:
    return (MayHaveHappened if failed.may_have_happened else ToolUnavailable)(str(failed))


def _told(name: str, status: int, text: str) -> str:
    said = f"The webhook {name} answered {status}. {text}".strip()
    # A server that failed, or gave up waiting, may have done it before.
    if status >= 500 or status == 408:
        raise MayHaveHappened(said)
    if status >= 300:
        raise ToolError(said)
    return said
