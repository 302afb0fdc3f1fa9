"""Jobs side by side: what is matched with what, and which is better."""

from collections.abc import Mapping, Sequence

import pytest

from batchtui.comparison import Place, compare
from batchtui.exchange.ranked import RankedJob, ranked_job
from batchtui.model import Batch, Context, Job, JobState, Request, RequestResult, rank_by_score

Scores = Mapping[str, float]


def job(number: int, *asked: tuple[str, Scores], grades: Sequence[Mapping[str, int]] = ()) -> RankedJob:
    """A done job whose requests are (query, score by text); grades are by text as well."""
    requests = tuple(Request(query, tuple(map(Context, scores))) for query, scores in asked)
    results = tuple(
        RequestResult(True, rank_by_score(list(enumerate(scores.values())))) for _, scores in asked
    )
    by_index = [
        {place: graded[text] for place, text in enumerate(scores) if text in graded}
        for (_, scores), graded in zip(asked, grades or [{}] * len(asked), strict=True)
    ]
    described = Job(
        id=number,
        state=JobState.DONE,
        backend="local",
        model="m",
        created_at=0,
        requests=len(requests),
        contexts=sum(map(len, (scores for _, scores in asked))),
    )
    return ranked_job(described, Batch(requests), results, by_index)


def test_contexts_are_matched_by_text_with_their_place_in_each_job() -> None:
    before = job(1, ("q", {"a": 0.9, "b": 0.5, "c": 0.1}))
    after = job(2, ("q", {"c": 0.8, "a": 0.7, "d": 0.2}))
    [request] = compare([before, after]).requests
    places = {context.context.text: (context.places, context.moved) for context in request.contexts}
    assert list(places) == ["c", "a", "d", "b"]
    assert places["c"] == ((Place(3, 0.1), Place(1, 0.8)), 2)
    assert places["a"] == ((Place(1, 0.9), Place(2, 0.7)), -1)
    assert places["d"] == ((None, Place(3, 0.2)), None)
    assert places["b"] == ((Place(2, 0.5), None), None)


def test_agreement_is_full_for_the_same_order_and_reversed_for_its_opposite() -> None:
    first = job(1, ("q", {"a": 3, "b": 2, "c": 1}))
    same = job(2, ("q", {"a": 30, "b": 20, "c": 10}))
    opposite = job(3, ("q", {"a": 1, "b": 2, "c": 3}))
    [request] = compare([first, same, opposite]).requests
    assert [agreement.kendall_tau for agreement in request.agreements] == [1.0, -1.0]
    assert request.agreements[0].rank_biased_overlap == pytest.approx(1.0)


def test_only_queries_that_all_jobs_have_are_compared_and_the_others_are_counted() -> None:
    first = job(1, ("both", {"a": 1, "b": 0}), ("only here", {"x": 1}))
    second = job(2, ("other", {"y": 1}), ("both", {"a": 0, "b": 1}), ("third", {"z": 1}))
    comparison = compare([first, second])
    assert [request.queries for request in comparison.requests] == [("both", "both")]
    assert [request.numbers for request in comparison.requests] == [(1, 2)]
    assert comparison.left_out == (1, 2)


def test_a_request_whose_query_was_changed_is_matched_by_its_contexts() -> None:
    first = job(1, ("how long do refunds take", {"a": 1, "b": 0}))
    second = job(2, ("when is my money back", {"b": 1, "a": 0}))
    [request] = compare([first, second]).requests
    assert request.queries == ("how long do refunds take", "when is my money back")
    assert [context.moved for context in request.contexts] == [1, -1]


def test_a_query_asked_twice_is_matched_first_with_first() -> None:
    twice = [("q", {"a": 1.0}), ("q", {"b": 1.0})]
    requests = compare([job(1, *twice), job(2, *twice)]).requests
    assert [request.contexts[0].context.text for request in requests] == ["a", "b"]


def test_the_verdict_says_which_is_better_by_how_much_and_whether_by_chance() -> None:
    asked = [(f"query {number}", {"right": 0.0, "wrong": 1.0}) for number in range(8)]
    turned = [(query, {"right": 1.0, "wrong": 0.0}) for query, _ in asked]
    grades = [{"right": 3, "wrong": 0}] * 8
    comparison = compare([job(1, *asked, grades=grades), job(2, *turned, grades=grades)])
    [verdict] = comparison.verdicts
    assert verdict is not None
    assert (verdict.test.better, verdict.test.worse, verdict.test.within_chance) == (8, 0, False)
    assert comparison.metrics[1] is not None and comparison.metrics[1].ndcg_at_10 == 1.0
    assert "higher" in verdict.sentence and "not chance" in verdict.sentence


def test_without_judgments_there_is_no_verdict_and_no_figure() -> None:
    comparison = compare([job(1, ("q", {"a": 1})), job(2, ("q", {"a": 2}))])
    assert comparison.verdicts == (None,)
    assert comparison.metrics == (None, None)
