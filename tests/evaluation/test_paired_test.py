import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import EXACT_TEST_UP_TO, paired_test


def test_queries_are_counted_as_better_worse_and_same() -> None:
    result = paired_test([0.5, 0.25, -0.25, 0.0, 1e-12])
    assert (result.better, result.worse, result.same) == (2, 1, 2)
    assert result.mean == pytest.approx(0.1)


def test_the_exact_p_value_is_the_part_of_sign_assignments_as_extreme() -> None:
    # Of the eight sums ±1±2±3 only +6 and −6 reach 6 in size; four reach 4.
    assert paired_test([1.0, 2.0, 3.0]).p_value == 2 / 8
    assert paired_test([-1.0, 2.0, 3.0]).p_value == 4 / 8


def test_five_wins_of_five_may_still_be_chance_and_six_of_six_are_not() -> None:
    assert paired_test([0.1] * 5).within_chance
    assert paired_test([0.1] * 5).p_value == 2 / 32
    assert not paired_test([0.1] * 6).within_chance


@pytest.mark.parametrize("differences", [[], [0.0], [0.0] * 50])
def test_without_a_difference_everything_is_chance(differences: list[float]) -> None:
    result = paired_test(differences)
    assert (result.mean, result.p_value, result.within_chance, result.same) == (
        0.0,
        1.0,
        True,
        len(differences),
    )


def test_a_query_that_stayed_does_not_change_the_p_value() -> None:
    assert paired_test([0.1, 0.2, -0.05, 0.0, 0.0]).p_value == paired_test([0.1, 0.2, -0.05]).p_value


def test_many_queries_give_the_same_p_value_every_time() -> None:
    generator = random.Random(3)
    differences = [generator.gauss(0.1, 1) for _ in range(200)]
    assert paired_test(differences) == paired_test(differences)


def test_a_drawn_p_value_is_never_zero() -> None:
    assert 0 < paired_test([1.0] * 100).p_value < 0.001


def test_the_direction_does_not_change_the_p_value() -> None:
    differences = [0.3, -0.1, 0.2, 0.05] * 3
    assert (
        paired_test(differences).p_value == paired_test([-difference for difference in differences]).p_value
    )


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=10))
def test_the_exact_p_value_equals_that_of_scipy(hundredths: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    differences = [value / 100 for value in hundredths]
    theirs = stats.permutation_test(
        (hundredths,), sum, permutation_type="samples", n_resamples=10_000, vectorized=False
    )
    assert paired_test(differences).p_value == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("count", [EXACT_TEST_UP_TO + 1, 17, 40, 300])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.2])
def test_a_drawn_p_value_lies_near_that_of_the_t_test(count: int, shift: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = random.Random(count)
    differences = [generator.gauss(shift, 1) for _ in range(count)]
    assert paired_test(differences).p_value == pytest.approx(
        stats.ttest_1samp(differences, 0).pvalue, abs=0.03
    )
