"""Rankings of several jobs side by side: requests matched by query, else by contexts; contexts by text."""

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
    """A request that every job has; `agreements` has one for each job after the first.

    The queries differ where a request was matched by its contexts, as after a change of the query alone.
    """

    queries: tuple[str, ...]
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
    """Two or more jobs over the requests that all of them have; the others are held against the first.

    `metrics` are each job's means over the requests judged in all jobs. `left_out` counts the requests of
    each job that another job lacks.
    """

    jobs: tuple[Job, ...]
    requests: tuple[ComparedRequest, ...]
    metrics: tuple[Metrics | None, ...]
    verdicts: tuple[Verdict | None, ...]
    left_out: tuple[int, ...]


def compare(ranked_jobs: Sequence[RankedJob]) -> Comparison:
    """Compare jobs; queries keep the order of the first, contexts that of the last one's ranking."""
    matched = _matched(ranked_jobs)
    requests = tuple(
        _compare_requests([job.requests[place] for job, place in zip(ranked_jobs, places, strict=True)])
        for places in matched
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
        left_out=tuple(len(job.requests) - len(matched) for job in ranked_jobs),
    )


def _matched(ranked_jobs: Sequence[RankedJob]) -> list[tuple[int, ...]]:
    """The place in each job of every request that all jobs have, in the order of the first job."""
    found: dict[int, tuple[int, ...]] = {}
    for key_of in (_query_of, _contexts_of):
        taken = [{places[number] for places in found.values()} for number in range(len(ranked_jobs))]
        free = [
            [place for place in range(len(job.requests)) if place not in taken[number]]
            for number, job in enumerate(ranked_jobs)
        ]
        keyed = [
            {
                key: places[nth]
                for key, nth in _by_occurrence([key_of(job.requests[place]) for place in places]).items()
            }
            for job, places in zip(ranked_jobs, free, strict=True)
        ]
        for key, place in keyed[0].items():
            if all(key in others for others in keyed[1:]):
                found[place] = tuple(places[key] for places in keyed)
    return [found[place] for place in sorted(found)]


def _query_of(request: RankedRequest) -> str:
    return request.request.query


def _contexts_of(request: RankedRequest) -> str:
    return "\0".join(sorted(context.text for context in request.request.contexts))


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
        queries=tuple(request.request.query for request in requests),
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
