"""A service with its store in a temporary directory, and a faulty Workers AI to follow jobs at."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from batchtui.clock import Clock, SystemClock
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.service import JobsService

from .faulty_service import FaultyService
from .support import FAST, ClientsOf


@pytest.fixture
async def server() -> AsyncIterator[FaultyService]:
    """A service that answers well until a test says otherwise."""
    service = FaultyService()
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the store of the test is."""
    return tmp_path / "data" / "batchtui.db"


OpenJobs = Callable[..., JobsService]


@pytest.fixture
def open_jobs(database: Path) -> Iterator[OpenJobs]:
    """Opens the service on the test's store, as often as it is called; all are closed at the end."""
    opened: list[JobsService] = []

    def open_one(
        policy: FollowPolicy = FAST, clients: ClientsOf | None = None, clock: Clock | None = None
    ) -> JobsService:
        jobs = JobsService.open(database, clients or ClientsOf(), clock or SystemClock(), policy)
        opened.append(jobs)
        return jobs

    yield open_one
    for jobs in opened:
        jobs.close()
