"""A job from submit to its end."""

from batchtui.model import JobState
from tests.jobs.conftest import OpenJobs
from tests.jobs.faulty_service import FaultyService
from tests.jobs.support import batch_of


async def test_a_job_is_sent_asked_for_and_ranked(server: FaultyService, open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("refunds", requests=2), backend=server.url)
    assert submitted.state is JobState.SENDING

    (job,) = await jobs.follow_until_done([submitted.id])

    assert job.state is JobState.DONE
    assert job.request_id in server.batches
    assert job.usage is not None and job.usage.total_tokens == 20
    results = jobs.results(job.id)
    assert results is not None
    assert [[entry.index for entry in result.ranking.entries] for result in results if result.ranking] == [
        [0, 1, 2],
        [0, 1, 2],
    ]
