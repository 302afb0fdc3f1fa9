from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import kendall_tau, rank_biased_overlap

ORDERS = st.lists(st.integers(0, 20), unique=True, max_size=15)


@pytest.mark.parametrize(
    ("before", "after", "tau"),
    [
        ("abcd", "abcd", 1.0),
        ("abcd", "dcba", -1.0),
        ("abcd", "abdc", 2 / 3),
        ("abcx", "yacb", 1 / 3),
        ("ab", "a", None),
        ("", "", None),
    ],
)
def test_kendalls_tau_counts_pairs_in_the_same_order(before: str, after: str, tau: float | None) -> None:
    assert kendall_tau(before, after) == (tau if tau is None else pytest.approx(tau))


@given(st.permutations(range(12)), st.permutations(range(12)))
def test_kendalls_tau_equals_that_of_scipy(before: list[int], after: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    places = [[order.index(key) for key in range(12)] for order in (before, after)]
    assert kendall_tau(before, after) == pytest.approx(stats.kendalltau(*places, variant="b").statistic)


def extrapolated_overlap(short: str, long: str, p: Fraction) -> Fraction:
    """Equation 32 of Webber, Moffat & Zobel 2010, term by term."""
    end, whole = len(short), len(long)

    def shared(depth: int) -> int:
        return len(set(short[:depth]) & set(long[:depth]))

    seen = sum((Fraction(shared(d), d) * p**d for d in range(1, whole + 1)), Fraction())
    unseen = sum(
        (Fraction(shared(end) * (d - end), end * d) * p**d for d in range(end + 1, whole + 1)), Fraction()
    )
    rest = Fraction(shared(whole) - shared(end), whole) + Fraction(shared(end), end)
    return (1 - p) / p * (seen + unseen) + rest * p**whole


@pytest.mark.parametrize(
    ("before", "after"),
    [("abc", "abc"), ("abc", "cab"), ("abc", "xyz"), ("ab", "xbayc"), ("abcdefg", "gb"), ("a", "xyza")],
)
@pytest.mark.parametrize("p", [0.5, 0.9])
def test_rank_biased_overlap_is_the_papers(before: str, after: str, p: float) -> None:
    short, long = sorted((before, after), key=len)
    expected = float(extrapolated_overlap(short, long, Fraction(str(p))))
    assert rank_biased_overlap(before, after, p) == pytest.approx(expected, abs=1e-12)


def test_rank_biased_overlap_by_hand() -> None:
    # Agreement 0, 1/2, 1 at the three depths: (1−p)/p · (p²/2 + p³) + p³ with p = 1/2.
    assert rank_biased_overlap("abc", "cab", 0.5) == pytest.approx(0.125 + 0.125 + 0.125)


def test_rank_biased_overlap_is_one_for_the_same_order_and_zero_for_nothing_shared() -> None:
    assert rank_biased_overlap("abcdef", "abcdef") == pytest.approx(1.0)
    assert rank_biased_overlap("abc", "xyz") == 0.0
    assert rank_biased_overlap("", "abc") is None


@given(ORDERS.filter(bool), ORDERS.filter(bool))
def test_rank_biased_overlap_is_symmetric_and_within_its_range(before: list[int], after: list[int]) -> None:
    overlap = rank_biased_overlap(before, after)
    assert overlap is not None
    assert overlap == pytest.approx(rank_biased_overlap(after, before))
    assert -1e-12 <= overlap <= 1 + 1e-12


def test_the_top_weighs_more_than_the_bottom() -> None:
    top_changed, bottom_changed = (
        rank_biased_overlap("abcdef", "bacdef"),
        rank_biased_overlap("abcdef", "abcdfe"),
    )
    assert top_changed is not None
    assert bottom_changed is not None
    assert top_changed < bottom_changed
