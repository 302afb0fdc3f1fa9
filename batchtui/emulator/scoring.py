"""Requests scored by the pool: batches in chunks over all processes, crashes kept to the request at fault."""

import asyncio
import dataclasses
import math
from collections.abc import Iterator, Sequence

from batchtui.emulator.frames import Item, Outcome, Work
from batchtui.emulator.models import EmulatedModel
from batchtui.emulator.pool import Pool, WorkerCrashError
from batchtui.emulator.validation import ScoringRequest

CRASHED = "the scoring process ended while it worked on this request; it was tried twice"


@dataclasses.dataclass(frozen=True)
class ChunkSize:
    """How much text goes to a process at a time, in characters: enough to be worth the way, and soon back."""

    least: int
    most: int


async def score_requests(
    pool: Pool,
    model: EmulatedModel,
    requests: Sequence[ScoringRequest],
    chunk_size: ChunkSize,
    *,
    urgent: bool = False,
) -> list[Outcome]:
    """An outcome for each request, in order."""
    items = [Item(request.texts, request.query, request.truncate, model.window) for request in requests]
    # Only a few chunks of a batch wait at a time, so that batches that come later get their turn.
    turns = asyncio.Semaphore(pool.size + 1)

    async def score(chunk: list[Item]) -> list[Outcome]:
        async with turns:
            return await _score_chunk(pool, model.name, chunk, urgent)

    chunks = [score(chunk) for chunk in split_into_chunks(items, chunk_size, pool.size)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chunk) for chunk in chunks]
    return [outcome for task in tasks for outcome in task.result()]


def split_into_chunks(items: Sequence[Item], size: ChunkSize, processes: int) -> Iterator[list[Item]]:
    """Neighbouring items in chunks of about equal text, two for each process at the least where it pays."""
    weights = [_weight(item) for item in items]
    target = min(size.most, max(size.least, math.ceil(sum(weights) / (2 * processes))))
    chunk: list[Item] = []
    filled = 0
    for item, weight in zip(items, weights, strict=True):
        if chunk and filled + weight / 2 > target:
            yield chunk
            chunk, filled = [], 0
        chunk.append(item)
        filled += weight
    if chunk:
        yield chunk


async def _score_chunk(pool: Pool, model: str, items: list[Item], urgent: bool) -> list[Outcome]:
    try:
        return (await pool.run(Work(model, items), urgent=urgent)).outcomes
    except WorkerCrashError:
        return [await _score_again(pool, model, item, urgent) for item in items]


async def _score_again(pool: Pool, model: str, item: Item, urgent: bool) -> Outcome:
    try:
        return (await pool.run(Work(model, [item]), urgent=urgent)).outcomes[0]
    except WorkerCrashError:
        return Outcome(error=CRASHED, internal=True)


def _weight(item: Item) -> int:
    return len(item.query or "") + sum(map(len, item.texts)) + 8 * len(item.texts)
