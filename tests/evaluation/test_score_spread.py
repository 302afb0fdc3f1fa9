import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import histogram


@pytest.mark.parametrize(
    ("scores", "bins", "counts"),
    [
        ([0.0, 0.1, 0.5, 1.0], 2, (2, 2)),
        ([0.0, 1.0, 2.0, 3.0], 4, (1, 1, 1, 1)),
        ([0.7, 0.7], 3, (0, 0, 2)),
        ([], 3, (0, 0, 0)),
        ([float("nan"), float("inf"), 1.0], 2, (0, 1)),
        ([-1.7e308, 0.0, 1.7e308], 3, (1, 1, 1)),
    ],
)
def test_scores_are_counted_in_equal_parts_of_their_range(
    scores: list[float], bins: int, counts: tuple[int, ...]
) -> None:
    assert histogram(scores, bins) == counts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.integers(1, 50))
def test_every_finite_score_is_counted_once(scores: list[float], bins: int) -> None:
    counts = histogram(scores, bins)
    assert len(counts) == bins
    assert sum(counts) == len(scores)
