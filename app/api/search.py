"""REST: search."""

from fastapi import APIRouter

from app.api.caller import Caller
from app.api.document_models import FoundPassageBody, SearchBody, SearchQuestion
from app.api.problems import problem_responses
from app.knowledge.search import Search


def search_routes(search: Search) -> APIRouter:
    """Return the route `/search`."""
    router = APIRouter(prefix="/search", tags=["documents"])

    @router.post("", responses=problem_responses(404, 422, 503))
    async def search_passages(caller: Caller, question: SearchQuestion) -> SearchBody:
        """Find passages of a collection, the best first."""
        found = await search.search(caller, question.collection, question.query, question.limit)
        return SearchBody(passages=[FoundPassageBody.of(item) for item in found])

    return router
