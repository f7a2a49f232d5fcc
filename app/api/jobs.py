"""REST: jobs."""

from fastapi import APIRouter

from app.api.caller import Caller
from app.api.document_models import JobBody
from app.api.problems import problem_responses
from core.ids import JobId
from core.ports.job_store import JobStore


def job_routes(jobs: JobStore) -> APIRouter:
    """Return the routes under `/jobs`."""
    router = APIRouter(prefix="/jobs", tags=["documents"])

    @router.get("/{job_id}", responses=problem_responses(404))
    async def get_job(caller: Caller, job_id: str) -> JobBody:
        """Tell how far a job is."""
        return JobBody.model_validate(await jobs.get(caller, JobId(job_id)))

    return router
