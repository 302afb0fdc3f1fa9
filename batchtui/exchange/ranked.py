"""A job with its batch, results and judgments as rows, for every form that results are written in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchtui.evaluation import Metrics, evaluate_ranking, mean
from batchtui.model import Batch, Context, Job, Request, RequestResult

Grades = Sequence[Mapping[int, int]]


@dataclass(frozen=True)
class RankedRow:
    """One ranked context: its rank from 1, its index from 0 as sent, its grade where it is judged."""

    rank: int
    index: int
    score: float
    context: Context
    grade: int | None


@dataclass(frozen=True)
class RankedRequest:
    """One request with what came back for it; `number` counts from 1, `result` is None where nothing came."""

    number: int
    request: Request
    result: RequestResult | None
    rows: tuple[RankedRow, ...]
    metrics: Metrics | None

    @property
    def trouble(self) -> str | None:
        """Why there is no ranking, or what of the answer did not fit."""
        if self.result is None:
            return None
        return self.result.error or "; ".join(self.result.problems) or None


@dataclass(frozen=True)
class RankedJob:
    """A job and its requests in the order sent; `metrics` are means over judged requests."""

    job: Job
    batch: Batch
    requests: tuple[RankedRequest, ...]
    metrics: Metrics | None


def grades_in(batch: Batch) -> tuple[dict[int, int], ...]:
    """The grades that the contexts themselves bear, by index, for each request."""
    return tuple(
        {
            index: context.relevance
            for index, context in enumerate(request.contexts)
            if context.relevance is not None
        }
        for request in batch.requests
    )


def ranked_job(
    job: Job,
    batch: Batch,
    results: Sequence[RequestResult] | None,
    grades: Grades | None,
    *,
    linear_gain: bool = False,
) -> RankedJob:
    """Put together what the forms need; without `grades` those of the batch itself count."""
    grades = grades_in(batch) if grades is None else grades
    requests = tuple(_ranked_requests(batch, results, grades, linear_gain))
    judged = [request.metrics for request in requests if request.metrics is not None]
    return RankedJob(job, batch, requests, mean(judged))


def _ranked_requests(
    batch: Batch, results: Sequence[RequestResult] | None, grades: Grades, linear_gain: bool
) -> Iterator[RankedRequest]:
    for position, request in enumerate(batch.requests):
        result = results[position] if results is not None and position < len(results) else None
        judged = grades[position] if position < len(grades) else {}
        rows: tuple[RankedRow, ...] = ()
        if result is not None and result.ranking is not None:
            rows = tuple(
                RankedRow(
                    rank, entry.index, entry.score, request.contexts[entry.index], judged.get(entry.index)
                )
                for rank, entry in enumerate(result.ranking.entries, 1)
            )
        metrics = (
            evaluate_ranking(result.ranking, judged, linear_gain=linear_gain)
            if result is not None and rows
            else None
        )
        yield RankedRequest(position + 1, request, result, rows, metrics)
