"""Jobs with results, made for the tests of what is written out."""

from collections.abc import Sequence

from batchtui.model import (
    Batch,
    Context,
    Job,
    JobError,
    JobState,
    Request,
    RequestResult,
    Usage,
    rank_by_score,
)


def make_job(batch: Batch, *, backend: str = "local", request_id: str | None = "abc", label: str = "") -> Job:
    """A job of the batch that is done."""
    return Job(
        id=31,
        state=JobState.DONE,
        backend=backend,
        model=batch.model,
        created_at=1_000_000_000.0,
        submitted_at=1_000_000_000.5,
        finished_at=1_000_000_002.6,
        requests=len(batch.requests),
        contexts=batch.context_count,
        label=label,
        request_id=request_id,
        usage=Usage(1204, 0, 1204),
    )


def make_failed_job(batch: Batch, message: str) -> Job:
    """A job of the batch that failed."""
    return Job(
        id=32,
        state=JobState.FAILED,
        backend="cloudflare",
        model=batch.model,
        created_at=1_000_000_000.0,
        requests=len(batch.requests),
        contexts=batch.context_count,
        error=JobError(3006, message, "split it"),
    )


def make_batch(texts: Sequence[str], query: str = "how long?", reference: str | None = None) -> Batch:
    """A batch of one request."""
    return Batch((Request(query, tuple(map(Context, texts)), reference),))


def make_results(batch: Batch, scores: Sequence[float] | None = None) -> tuple[RequestResult, ...]:
    """A ranking for every request; without `scores` the last context is the best."""
    return tuple(
        RequestResult(
            True,
            rank_by_score(
                [
                    (index, scores[index] if scores is not None else index / len(request.contexts))
                    for index in range(len(request.contexts))
                ]
            ),
        )
        for request in batch.requests
    )
