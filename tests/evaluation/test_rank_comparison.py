from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import Shift, kendall_tau, rank_biased_overlap, shifts

ORDERS = st.lists(st.integers(0, 20), unique=True, max_size=15)


def test_a_shift_tells_both_places_and_how_far_it_moved() -> None:
    assert shifts(["a", "b", "c"], ["c", "a", "b"]) == (Shift("c", 3, 1), Shift("a", 1, 2), Shift("b", 2, 3))
    assert [shift.places for shift in shifts(["a", "b", "c"], ["c", "a", "b"])] == [2, -1, -1]


def test_what_only_one_ranking_has_did_not_move() -> None:
    only = shifts(["old", "both"], ["new", "both"])
    assert only == (Shift("new", None, 1), Shift("both", 2, 2), Shift("old", 1, None))
    assert [shift.places for shift in only] == [None, 0, None]


def test_a_key_that_occurs_twice_is_matched_in_order() -> None:
    assert shifts(["x", "a", "x"], ["x", "x", "a"]) == (Shift("x", 1, 1), Shift("x", 3, 2), Shift("a", 2, 3))


@given(ORDERS, ORDERS)
def test_every_key_is_told_once(before: list[int], after: list[int]) -> None:
    told = shifts(before, after)
    assert [shift.key for shift in told] == after + [key for key in before if key not in after]


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
