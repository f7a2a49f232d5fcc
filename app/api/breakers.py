"""REST for those who operate the nodes: what is known to be down, and trying it again now."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from app.api.caller import Caller
from app.api.problems import problem_responses
from core.errors import NotFound
from core.ports.breakers import Breakers, CircuitState
from core.principal import OPERATOR, Principal


class BreakerBody(BaseModel):
    """What stands before one thing outside, for all nodes.

    `closed`: calls go through. `open`: none does. `half_open`: one call, a probe, decides.
    `failures`: in a row. `opened_seconds`: since it opened, else 0. `retry_after_seconds`: until
    the next probe is due.
    """

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: CircuitState
    failures: int
    opened_seconds: float
    retry_after_seconds: float


class BreakerList(BaseModel):
    """Every breaker that the node has heard of, by name."""

    breakers: list[BreakerBody]


def breaker_routes(breakers: Breakers) -> APIRouter:
    """Return `/breakers`, for operators alone; to anybody else they don't exist."""
    router = APIRouter(tags=["operations"], responses=problem_responses(404))

    @router.get("/breakers")
    async def list_breakers(caller: Caller) -> BreakerList:
        """List what stands before the outside: tools, MCP servers, models."""
        _require_operator(caller)
        reports = breakers.reports()
        return BreakerList(breakers=[BreakerBody.model_validate(one) for one in reports])

    # A name may have slashes, as in `model:openai/gpt-5.4-mini`.
    @router.post("/breakers/{name:path}/reset", status_code=204)
    async def reset_breaker(caller: Caller, name: str) -> None:
        """Close a breaker on every node, so that the next call is made."""
        _require_operator(caller)
        if not await breakers.reset(name):
            raise NotFound("There is no such breaker.")

    return router


def _require_operator(caller: Principal) -> None:
    if OPERATOR not in caller.roles:
        raise NotFound("There is nothing here for you.")
