"""Answers brought back to the requests they are for: by id, never by place."""

import math
from collections.abc import Iterable, Sequence

from batchtui.model import Request, RequestResult, rank_by_score
from batchtui.workers_ai.wire import Complete, Response

_NAMED_AT_MOST = 10


def match(
    requests: Sequence[Request], complete: Complete, *, top_k: int | None = None
) -> tuple[tuple[RequestResult, ...], tuple[str, ...]]:
    """One result for each request, in the order of `requests`, and what is wrong with the batch as a whole.

    `top_k` is what was asked for: fewer scores than contexts are then no problem. Of several answers for one
    request the first that succeeded counts.
    """
    of_request: dict[int, list[Response]] = {}
    without_index = 0
    out_of_range: list[int] = []
    for response in complete.responses:
        if response.index is None:
            without_index += 1
        elif 0 <= response.index < len(requests):
            of_request.setdefault(response.index, []).append(response)
        else:
            out_of_range.append(response.index)
    results = tuple(
        _match_all(request, of_request.get(place, []), top_k) for place, request in enumerate(requests)
    )
    missing = [place for place in range(len(requests)) if place not in of_request]
    doubled = [place for place, responses in of_request.items() if len(responses) > 1]
    problems = []
    if without_index:
        problems.append(f"{_count(without_index, 'answer')} without an id")
    if out_of_range:
        problems.append(f"answers for requests that were not sent: {_named(out_of_range)}")
    if doubled:
        problems.append(f"more than one answer for requests {_named(sorted(doubled))}")
    if missing:
        problems.append(f"no answer for {_count(len(missing), 'request')}: {_named(missing)}")
    return results, tuple(problems)


def match_response(request: Request, response: Response, *, top_k: int | None = None) -> RequestResult:
    """The result of one request from its answer; what can be ranked is ranked, the rest is a problem."""
    problems: list[str] = []
    if response.external_reference not in (None, request.external_reference):
        problems.append("the answer bears another external_reference than was sent")
    if not response.success:
        error = response.error or "the service gave no reason"
        return RequestResult(success=False, error=error, problems=tuple(problems))
    scores, faults = _scores(response.scores, len(request.contexts))
    problems += faults
    expected = len(request.contexts) if top_k is None else min(top_k, len(request.contexts))
    if len(scores) < expected:
        unscored = [place for place in range(len(request.contexts)) if place not in scores]
        problems.append(f"{len(scores)} of {expected} contexts were scored, none for {_named(unscored)}")
    if not scores:
        return RequestResult(
            success=False, error="the answer holds no usable score", problems=tuple(problems)
        )
    return RequestResult(success=True, ranking=rank_by_score(list(scores.items())), problems=tuple(problems))


def _match_all(request: Request, responses: Sequence[Response], top_k: int | None) -> RequestResult:
    if not responses:
        problem = "no answer came for this request"
        return RequestResult(success=False, error=problem, problems=(problem,))
    results = [match_response(request, response, top_k=top_k) for response in responses]
    result = next((result for result in results if result.success), results[0])
    if len(results) == 1:
        return result
    problem = f"{len(results)} answers came for this request"
    return RequestResult(result.success, result.ranking, result.error, (*result.problems, problem))


def _scores(
    pairs: Iterable[tuple[int | None, float | None]], contexts: int
) -> tuple[dict[int, float], list[str]]:
    """The first finite score of each context, and what is wrong with the others."""
    scores: dict[int, float] = {}
    without_index = 0
    out_of_range: list[int] = []
    doubled: list[int] = []
    unscored: list[int] = []
    for index, score in pairs:
        if index is None:
            without_index += 1
        elif not 0 <= index < contexts:
            out_of_range.append(index)
        elif score is None or not math.isfinite(score):
            unscored.append(index)
        elif index in scores:
            doubled.append(index)
        else:
            scores[index] = score
    problems = []
    if without_index:
        problems.append(f"{_count(without_index, 'score')} without a context's id")
    if out_of_range:
        problems.append(f"scores of contexts that were not sent: {_named(out_of_range)}")
    if doubled:
        problems.append(f"more than one score for contexts {_named(doubled)}: the first counts")
    if unscored:
        problems.append(f"null or not a number as score of contexts {_named(unscored)}")
    return scores, problems


def _named(places: Sequence[int]) -> str:
    """Places counted from 0, as sent; at most ten of them."""
    named = ", ".join(str(place) for place in places[:_NAMED_AT_MOST])
    more = len(places) - _NAMED_AT_MOST
    return f"{named} and {more} more" if more > 0 else named


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
