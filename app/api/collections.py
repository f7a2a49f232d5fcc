"""REST: collections."""

from fastapi import APIRouter

from app.api.caller import Caller
from app.api.document_models import CollectionBody, CollectionList, NewCollection
from app.api.problems import problem_responses
from app.knowledge.library import Library


def collection_routes(library: Library) -> APIRouter:
    """Return the routes under `/collections`."""
    router = APIRouter(prefix="/collections", tags=["collections"])

    @router.get("")
    async def list_collections(caller: Caller) -> CollectionList:
        """List all collections by name; `default` is always there."""
        found = await library.collections(caller)
        return CollectionList(
            collections=[CollectionBody.model_validate(collection) for collection in found]
        )

    @router.post("", status_code=201, responses=problem_responses(409, 422))
    async def create_collection(caller: Caller, body: NewCollection) -> CollectionBody:
        """Make a collection."""
        return CollectionBody.model_validate(await library.add_collection(caller, body.name))

    @router.get("/{name}", responses=problem_responses(404))
    async def get_collection(caller: Caller, name: str) -> CollectionBody:
        """Show a collection."""
        return CollectionBody.model_validate(await library.collection(caller, name))

    @router.delete("/{name}", status_code=204, responses=problem_responses(404, 409))
    async def delete_collection(caller: Caller, name: str) -> None:
        """Delete a collection with its documents; `default` can't be."""
        await library.delete_collection(caller, name)

    return router
