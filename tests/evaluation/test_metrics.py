import random
import shutil
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import (
    Metrics,
    average_precision,
    evaluate,
    mean,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)

FIGURES = ("ndcg_at_10", "mrr", "map", "p_at_5", "recall_at_10")
GRADES = st.lists(st.sampled_from([None, 0, 1, 2, 3]), max_size=30)


def test_ndcg_gains_two_to_the_grade_less_one() -> None:
    gained = 1 + 7 / log2(3) + 3 / log2(5)
    ideal = 7 + 3 / log2(3) + 1 / 2
    assert ndcg_at([1, 3, 0, 2], 10) == pytest.approx(gained / ideal, abs=1e-12)


def test_ndcg_gains_the_grade_itself_on_choice() -> None:
    gained = 1 + 3 / log2(3) + 2 / log2(5)
    ideal = 3 + 2 / log2(3) + 1 / 2
    assert ndcg_at([1, 3, 0, 2], 10, linear_gain=True) == pytest.approx(gained / ideal, abs=1e-12)


def test_ndcg_holds_the_first_places_against_the_best_of_all() -> None:
    assert ndcg_at([0, 1, 3], 2) == pytest.approx((1 / log2(3)) / (7 + 1 / log2(3)), abs=1e-12)


def test_a_judged_context_that_is_not_ranked_lowers_what_was_found() -> None:
    assert ndcg_at([1], 10, unranked=[3]) == pytest.approx(1 / (7 + 1 / log2(3)), abs=1e-12)
    assert recall_at([1, 0], 10, unranked=[2, 0, None]) == 0.5
    assert average_precision([1], unranked=[1, 1]) == pytest.approx(1 / 3)
    metrics = evaluate([1], unranked=[3])
    assert metrics is not None
    assert (metrics.judged, metrics.recall_at_10, metrics.map, metrics.mrr) == (2, 0.5, 0.5, 1.0)


def test_precision_divides_by_k_even_where_fewer_are_ranked() -> None:
    assert precision_at([1, 0, 2], 5) == 0.4
    assert precision_at([1, 0, 2, 3, 1, 1], 5) == 0.8


def test_recall_is_the_part_of_the_relevant_in_the_first_places() -> None:
    assert recall_at([0, 1, 2, 3], 3) == pytest.approx(2 / 3)


def test_average_precision_is_the_mean_of_the_precisions_at_the_relevant() -> None:
    assert average_precision([1, 0, 2, None, 3]) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3, abs=1e-12)


def test_reciprocal_rank_is_that_of_the_first_relevant() -> None:
    assert reciprocal_rank([0, None, 1, 1]) == pytest.approx(1 / 3)


def test_unjudged_counts_as_not_relevant() -> None:
    some, all_judged = evaluate([2, None, 1, None]), evaluate([2, 0, 1, 0])
    assert some is not None
    assert all_judged is not None
    assert (some.judged, all_judged.judged) == (2, 4)
    assert [getattr(some, name) for name in FIGURES] == [getattr(all_judged, name) for name in FIGURES]


def test_without_a_judgment_there_is_no_figure() -> None:
    assert evaluate([]) is None
    assert evaluate([None, None]) is None


def test_without_a_relevant_context_every_figure_is_zero() -> None:
    assert evaluate([0, None, 0]) == Metrics(0.0, 0.0, 0.0, 0.0, 0.0, judged=2)


def test_the_mean_is_over_the_judged_requests_alone() -> None:
    perfect, half = evaluate([1]), evaluate([0, 1])
    both = mean([perfect, None, half])
    assert both is not None
    assert both.ndcg_at_10 == pytest.approx((1 + 1 / log2(3)) / 2)
    assert (both.mrr, both.map, both.p_at_5, both.recall_at_10, both.judged) == (0.75, 0.75, 0.2, 1.0, 3)
    assert mean([None, None]) is None
    assert mean([]) is None


@given(GRADES, st.booleans())
def test_every_figure_lies_between_zero_and_one(grades: list[int | None], linear_gain: bool) -> None:
    metrics = evaluate(grades, linear_gain=linear_gain)
    if metrics is not None:
        assert all(0.0 <= getattr(metrics, name) <= 1.0 + 1e-12 for name in FIGURES)


@given(GRADES.filter(lambda grades: any(grades)))
def test_the_best_order_has_the_full_ndcg(grades: list[int | None]) -> None:
    assert ndcg_at(sorted(grades, key=lambda grade: -(grade or 0)), 10) == pytest.approx(1.0)


def random_rankings() -> dict[str, tuple[list[int | None], list[int]]]:
    """1,000 rankings with the grades of what they leave out, the same in every run."""
    generator = random.Random(1)
    return {
        str(number): (
            generator.choices(
                [None, 0, 1, 2, 3], weights=generator.choices(range(1, 9), k=5), k=generator.randint(1, 40)
            ),
            generator.choices([0, 1, 2, 3], k=generator.choice([0, 0, 1, 5])),
        )
        for number in range(1, 1001)
    }


@pytest.mark.parametrize("linear_gain", [False, True])
def test_figures_equal_those_of_ir_measures_on_1000_random_rankings(linear_gain: bool) -> None:
    ir_measures = pytest.importorskip("ir_measures")
    rankings = random_rankings()
    judged = {query: [*ranked, *unranked] for query, (ranked, unranked) in rankings.items()}
    run = [
        ir_measures.ScoredDoc(query, str(place), -float(place))
        for query, (ranked, _) in rankings.items()
        for place in range(len(ranked))
    ]

    def relevances(exponential: bool) -> list[object]:
        return [
            ir_measures.Qrel(query, str(place), 2**grade - 1 if exponential else grade)
            for query, grades in judged.items()
            for place, grade in enumerate(grades)
            if grade is not None
        ]

    measures = {
        ir_measures.nDCG @ 10: "ndcg_at_10",
        ir_measures.RR: "mrr",
        ir_measures.AP: "map",
        ir_measures.P @ 5: "p_at_5",
        ir_measures.R @ 10: "recall_at_10",
    }
    results = list(ir_measures.iter_calc(measures, relevances(not linear_gain), run))
    assert len(results) > 4_500
    for result in results:
        ranked, unranked = rankings[result.query_id]
        ours = evaluate(ranked, unranked=unranked, linear_gain=linear_gain)
        assert getattr(ours, measures[result.measure]) == pytest.approx(result.value, abs=1e-9), result


@pytest.mark.skipif(shutil.which("perl") is None, reason="gdeval is a Perl script")
def test_the_exponential_gain_is_that_of_gdeval() -> None:
    ir_measures = pytest.importorskip("ir_measures")
    rankings = random_rankings()
    run = [
        ir_measures.ScoredDoc(query, f"d{place}", 1000.0 - place)
        for query, (ranked, _) in rankings.items()
        for place in range(len(ranked))
    ]
    relevances = [
        ir_measures.Qrel(query, f"d{place}", grade)
        for query, (ranked, unranked) in rankings.items()
        for place, grade in enumerate([*ranked, *unranked])
        if grade is not None
    ]
    results = list(ir_measures.iter_calc([ir_measures.nDCG(dcg="exp-log2") @ 10], relevances, run))
    assert len(results) > 900
    for result in results:
        ranked, unranked = rankings[result.query_id]
        # gdeval prints five digits.
        assert ndcg_at(ranked, 10, unranked=unranked) == pytest.approx(result.value, abs=5.1e-6), result
