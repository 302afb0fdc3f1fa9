"""Rankings of several jobs side by side: requests matched by query, contexts by text. Pure functions."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from batchtui.evaluation import Metrics, PairedTest, kendall_tau, mean, paired_test, rank_biased_overlap
from batchtui.exchange.ranked import RankedJob, RankedRequest
from batchtui.model import Context, Job

# A text that stands several times in a request is told apart by its occurrence.
_Key = tuple[str, int]


class Place(msgspec.Struct, frozen=True):
    """Where a context stands in one job; rank and score are None where it was sent but not ranked."""

    rank: int | None
    score: float | None


class ComparedContext(msgspec.Struct, frozen=True):
    """One context with its place in each job, None where a job does not have it."""

    context: Context
    grade: int | None
    places: tuple[Place | None, ...]

    @property
    def moved(self) -> int | None:
        """How far it rose from the first job to the last; None where either did not rank it."""
        first, last = self.places[0], self.places[-1]
        if first is None or last is None or first.rank is None or last.rank is None:
            return None
        return first.rank - last.rank


class Agreement(msgspec.Struct, frozen=True):
    """How alike the ranking of a later job is to the first job's."""

    kendall_tau: float | None
    rank_biased_overlap: float | None


class ComparedRequest(msgspec.Struct, frozen=True):
    """One query that every job has; `agreements` has one for each job after the first."""

    query: str
    numbers: tuple[int, ...]
    contexts: tuple[ComparedContext, ...]
    metrics: tuple[Metrics | None, ...]
    agreements: tuple[Agreement, ...]


class Verdict(msgspec.Struct, frozen=True):
    """A later job against the first by nDCG@10, over the queries judged in both; None where there is none."""

    job_id: int
    queries: int
    test: PairedTest

    @property
    def sentence(self) -> str:
        """Which is better, by how much, and whether that may be chance."""
        test = self.test
        counts = f"{test.better} queries better, {test.worse} worse, {test.same} the same"
        if test.better == test.worse == 0:
            return f"the same nDCG@10 on all {self.queries} judged queries"
        word = "higher" if test.mean > 0 else "lower"
        chance = "within chance" if test.within_chance else "not chance"
        return f"nDCG@10 {abs(test.mean):.4f} {word} ({counts}; p = {test.p_value:.3f}, {chance})"


class Comparison(msgspec.Struct, frozen=True):
    """Two or more jobs over the queries that all of them have; the first is what the others are held against.

    `metrics` are each job's means over the queries judged in all jobs. `left_out` counts requests of each job
    whose query another job lacks.
    """

    jobs: tuple[Job, ...]
    requests: tuple[ComparedRequest, ...]
    metrics: tuple[Metrics | None, ...]
    verdicts: tuple[Verdict | None, ...]
    left_out: tuple[int, ...]


def compare(ranked_jobs: Sequence[RankedJob]) -> Comparison:
    """Compare jobs; queries keep the order of the first, contexts that of the last one's ranking."""
    by_query = [_by_occurrence([request.request.query for request in job.requests]) for job in ranked_jobs]
    shared = [key for key in by_query[0] if all(key in others for others in by_query[1:])]
    requests = tuple(
        _compare_requests(
            [job.requests[places[key]] for job, places in zip(ranked_jobs, by_query, strict=True)]
        )
        for key in shared
    )
    judged = [request for request in requests if all(metrics is not None for metrics in request.metrics)]
    return Comparison(
        jobs=tuple(job.job for job in ranked_jobs),
        requests=requests,
        metrics=tuple(
            mean(request.metrics[place] for request in judged) for place in range(len(ranked_jobs))
        ),
        verdicts=tuple(
            _verdict(job.job.id, [request.metrics for request in judged], place)
            for place, job in enumerate(ranked_jobs[1:], 1)
        ),
        left_out=tuple(len(job.requests) - len(shared) for job in ranked_jobs),
    )


def _by_occurrence(texts: Sequence[str]) -> dict[_Key, int]:
    seen: Counter[str] = Counter()
    places = {}
    for place, text in enumerate(texts):
        places[text, seen[text]] = place
        seen[text] += 1
    return places


def _compare_requests(requests: Sequence[RankedRequest]) -> ComparedRequest:
    places_by_key = [_by_occurrence([c.text for c in request.request.contexts]) for request in requests]
    ranked = [{row.index: row for row in request.rows} for request in requests]
    orders = []
    for request, keys in zip(requests, places_by_key, strict=True):
        key_of = {place: key for key, place in keys.items()}
        orders.append([key_of[row.index] for row in request.rows])
    # The last job's ranking first, then what only earlier jobs ranked, then what nobody ranked.
    order = dict.fromkeys(key for keys in (*reversed(orders), *reversed(places_by_key)) for key in keys)
    contexts = []
    for key in order:
        places: list[Place | None] = []
        context, grade = None, None
        for request, keys, rows in zip(requests, places_by_key, ranked, strict=True):
            if key not in keys:
                places.append(None)
                continue
            row = rows.get(keys[key])
            places.append(Place(row.rank, row.score) if row else Place(None, None))
            context = request.request.contexts[keys[key]]
            grade = row.grade if row and row.grade is not None else grade
        assert context is not None
        contexts.append(ComparedContext(context, grade, tuple(places)))
    return ComparedRequest(
        query=requests[0].request.query,
        numbers=tuple(request.number for request in requests),
        contexts=tuple(contexts),
        metrics=tuple(request.metrics for request in requests),
        agreements=tuple(
            Agreement(kendall_tau(orders[0], order), rank_biased_overlap(orders[0], order))
            for order in orders[1:]
        ),
    )


def _verdict(job_id: int, metrics: Sequence[tuple[Metrics | None, ...]], place: int) -> Verdict | None:
    differences = [
        after.ndcg_at_10 - before.ndcg_at_10
        for before, after in ((row[0], row[place]) for row in metrics)
        if before is not None and after is not None
    ]
    return Verdict(job_id, len(differences), paired_test(differences)) if differences else None
