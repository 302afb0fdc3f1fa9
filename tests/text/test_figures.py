import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.figures import count, duration, size


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_449, "1.4 kB"),
        (9_999, "10 kB"),
        (14_200, "14 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (2_500_000, "2.5 MB"),
        (64_000_000_000, "64 GB"),
    ],
)
def test_a_size_is_told_in_decimal_units(number: int, shown: str) -> None:
    assert size(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1_204, "1.2k"), (8_100, "8.1k"), (36_400, "36k"), (10**7, "10M")],
)
def test_a_count_is_shortened_from_a_thousand_on(number: int, shown: str) -> None:
    assert count(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 ms"),
        (0.34, "340 ms"),
        (0.9999, "999 ms"),
        (2.19, "2.1 s"),
        (9.99, "9.9 s"),
        (34.9, "34 s"),
        (59.99, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (86_399, "23 h"),
        (1_036_800, "12 d"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@given(st.integers(0, 999 * 10**12))
def test_a_count_takes_four_characters_at_most(number: int) -> None:
    assert len(count(number)) <= 4
