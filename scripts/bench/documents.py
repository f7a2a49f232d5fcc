"""Puts a small collection into Colloquy, for turns that look something up."""

import time
from typing import Final

import httpx

from scripts.bench.contenders import Contender

QUESTION: Final = "How many days do I have to return a kettle?"
_SECONDS: Final = 90.0
_TOPICS: Final = ("kettle", "toaster", "bicycle", "lamp", "radio", "camera", "printer", "drill")


def upload(server: Contender) -> None:
    """Upload eight short documents and wait until they can be searched."""
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=30, trust_env=False) as client:
        jobs = [_send(client, topic) for topic in _TOPICS]
        deadline = time.monotonic() + _SECONDS
        while jobs and time.monotonic() < deadline:
            time.sleep(0.2)
            jobs = [job for job in jobs if not _is_over(client, job)]
    if jobs:
        raise TimeoutError(f"{len(jobs)} documents were not read in {_SECONDS:.0f} s")


def _send(client: httpx.Client, topic: str) -> str:
    text = "\n\n".join(
        f"## Part {part} of the {topic} manual\n\nA {topic} can be returned within {10 + part} "
        f"days. Keep the {topic} dry, and the receipt of the {topic} in its box. " * 4
        for part in range(6)
    )
    answer = client.post(
        "/documents",
        files={"file": (f"{topic}.md", text.encode(), "text/markdown")},
        data={"collection": "default"},
    )
    answer.raise_for_status()
    return str(answer.json()["job_id"])


def _is_over(client: httpx.Client, job_id: str) -> bool:
    job = client.get(f"/jobs/{job_id}").raise_for_status().json()
    if job["status"] == "failed":
        raise RuntimeError(f"a document could not be read: {job['error']}")
    return bool(job["status"] == "succeeded")
