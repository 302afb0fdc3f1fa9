"""A process killed at any moment loses no job and doubles none."""

from pathlib import Path

import pytest

from batchtui.model import JobState

from .faulty_service import FaultyService
from .follower_process import POINTS
from .killing import Killed, kill_often, reckon, start


async def test_batches_survive_kills_at_random_moments(database: Path, server: FaultyService) -> None:
    killed = await kill_often(database, server, times=15, seed=4)

    assert killed.wrong == []
    assert killed.count(JobState.DONE) > 0
    assert len(killed.jobs) >= len(killed.promised) > 0


@pytest.mark.parametrize(
    ("point", "state", "accepted"),
    [
        ("before the job is written", None, 0),
        ("after the job is written", JobState.DONE, 1),
        ("after the part is claimed", JobState.DONE, 1),
        ("before it is marked as sent", JobState.DONE, 1),
        ("after it is marked as sent", JobState.UNCONFIRMED, 0),
        ("after the service has taken it", JobState.UNCONFIRMED, 1),
        ("before the outcome is written", JobState.UNCONFIRMED, 1),
        ("after the outcome is written", JobState.DONE, 1),
        ("after the answer came", JobState.DONE, 1),
    ],
)
async def test_a_batch_survives_a_kill(
    database: Path, server: FaultyService, point: str, state: JobState | None, accepted: int
) -> None:
    assert point in POINTS
    process = await start(database, server.url, 0, point)
    await process.wait()
    killed = Killed()
    await reckon(database, server, killed)

    assert killed.wrong == []
    assert [job.state for job in killed.jobs[:1]] == ([] if state is None else [state])
    assert server.accepted["query 0"] == accepted
