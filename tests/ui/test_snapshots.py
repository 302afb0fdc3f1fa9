"""The screens as pictures, at 120×36 and 80×24; the clock is held, so that each run draws the same.

After a change that is meant: `pytest tests/ui/test_snapshots.py --snapshot-update`, and look at the pictures.
"""

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from batchtui import settings
from batchtui.backends import Backends, follow_policy
from batchtui.clock import Clock
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Draft, Job, JobState
from batchtui.ui.app import BatchtuiApp
from batchtui.workers_ai.wire import Complete

from .held_clock import HeldClock
from .support import EMOJI, LLAMA, NARROW, ORANGE, PATIENCE, QUERY, SAMPLE, WIDE, Person, drafted, request

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])
SECONDS_TO_THE_ANSWER = 2.5
Compare = Callable[..., bool]
Steps = Callable[[Person], Awaitable[None]]


def _opened(clock: Clock) -> tuple[JobsService, Backends, settings.Settings]:
    chosen = msgspec.structs.replace(settings.load(), latency=0.0)
    backends = Backends(chosen, clock)
    service = JobsService.open(chosen.locations.database, backends, clock, follow_policy(chosen))
    return service, backends, chosen


def ranked_by_the_emulator(clock: HeldClock, *batches: Batch) -> None:
    """Put finished jobs into the store, each submitted a minute after the last and done in the same time."""

    async def follow() -> None:
        service, backends, _ = _opened(clock)
        try:
            for batch in batches:
                clock.advance(60)
                job = service.submit(batch, backend="local")
                # The clock moves only once the emulator has the answer, so every time in the job is held.
                sent = await service.follow_until_sent([job.id])
                await _until_scored(backends, sent[0])
                clock.advance(SECONDS_TO_THE_ANSWER)
                (done,) = await service.follow_until_done([job.id])
                assert done.state is JobState.DONE, done
        finally:
            await backends.aclose()
            service.close()

    asyncio.run(follow())


async def _until_scored(backends: Backends, job: Job) -> None:
    client = backends.client("local", None)
    assert job.request_id is not None
    async with asyncio.timeout(PATIENCE):
        while True:
            collected = await client.collect(job.model, job.request_id)
            if isinstance(collected.answer, Complete):
                return
            await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def held_request_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator gives the same request_ids in each run, as they stand on the screen."""
    numbers = itertools.count(1)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(numbers), version=4))


@pytest.fixture
def clock() -> HeldClock:
    """One clock for the store and the screen."""
    return HeldClock()


@pytest.fixture
def drawn(snap_compare: Compare, clock: HeldClock) -> Callable[..., bool]:
    """Whether the app, after some steps, looks as it does in its picture."""

    def compare(size: tuple[int, int], steps: Steps, draft: Draft | None = None) -> bool:
        service, backends, chosen = _opened(clock)
        app = BatchtuiApp(service, backends, chosen, clock, draft or Draft(0, Batch((), chosen.model)))

        async def run_before(pilot: Pilot[Any]) -> None:
            person = Person(pilot, app)
            await person.until_focused("query")
            for field in (*app.query(TextArea), *app.query(Input)):
                field.cursor_blink = False
            await person.until_seen("B of 10 MB")
            await steps(person)

        try:
            return snap_compare(app, terminal_size=size, run_before=run_before)
        finally:
            service.close()

    return compare


async def _nothing(person: Person) -> None:
    await person.pilot.pause()


@SIZES
def test_an_empty_screen(size: tuple[int, int], drawn: Callable[..., bool]) -> None:
    assert drawn(size, _nothing)


@SIZES
def test_a_composed_batch(size: tuple[int, int], drawn: Callable[..., bool]) -> None:
    async def steps(person: Person) -> None:
        await person.compose(*SAMPLE)
        await person.press("enter")
        # The size is looked at when the typing rests.
        await person.until_seen("212 B of 10 MB")

    assert drawn(size, steps)


@SIZES
def test_a_ranking_with_judgments(
    size: tuple[int, int], clock: HeldClock, drawn: Callable[..., bool]
) -> None:
    ranked_by_the_emulator(clock, drafted().batch, drafted(request(QUERY, EMOJI, ORANGE)).batch)

    async def steps(person: Person) -> None:
        await person.press("f2", "j", "enter")
        await person.until(lambda: person.app.results_pane.job_id == 1 and person.ranked)
        await person.press("3", "j", "0")
        await person.until_seen("2 of 3 judged")
        await person.press("f4")
        await person.until(lambda: all(job.ndcg_at_10 is not None for job in person.jobs))

    assert drawn(size, steps)


@SIZES
def test_two_jobs_compared(size: tuple[int, int], clock: HeldClock, drawn: Callable[..., bool]) -> None:
    first = drafted(request(QUERY, LLAMA, ORANGE, EMOJI), request("llamas", LLAMA, EMOJI)).batch
    second = drafted(request(QUERY, EMOJI, ORANGE), request("llamas", EMOJI, LLAMA)).batch
    ranked_by_the_emulator(clock, first, second)

    async def steps(person: Person) -> None:
        person.service.judge(QUERY, ORANGE, 3)
        person.service.judge(QUERY, EMOJI, 0)
        person.service.judge("llamas", LLAMA, 2)
        await person.press("f2", "space", "space", "c")
        await person.until_seen("Compare jobs 1 and 2")

    assert drawn(size, steps)


@SIZES
@pytest.mark.parametrize("pane", ["f2", "f3", "f4"], ids=["jobs", "compose", "results"])
def test_help(size: tuple[int, int], pane: str, drawn: Callable[..., bool]) -> None:
    async def steps(person: Person) -> None:
        await person.press(pane, "f1")
        await person.until_seen("Help")

    assert drawn(size, steps)
