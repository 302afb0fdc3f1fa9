"""A text is wrapped so that all of it is seen: no row is wider than the view, and none of it is left out."""

import sys

import pytest
from hostile import hostile_strings
from hypothesis import given
from hypothesis import strategies as st

from batchtui.text import cell_width, safe
from batchtui.ui.widgets.text_view import _PIECES, _SIZES, wrap_line

LINES = [line for _, text in hostile_strings() for line in safe(text[:5_000]).split("\n")]
EMOJI = ["❤️", "1️⃣", "👍🏽", "👨\u200d👩\u200d👧", "🇨🇭", "語", "e\u0301", "a", " ", "x" * 30]


def assert_wrapped(line: str, width: int) -> None:
    rows = wrap_line(line, width)
    assert [row for row in rows if cell_width(row) > width] == []
    assert "".join("".join(rows).split()) == "".join(line.split())


@pytest.mark.parametrize("width", [2, 3, 10, 41, 200])
def test_every_hostile_text(width: int) -> None:
    for line in LINES:
        assert_wrapped(line, width)


@given(st.text(), st.integers(2, 30))
def test_any_text(text: str, width: int) -> None:
    for line in safe(text).split("\n"):
        assert_wrapped(line, width)


@given(st.lists(st.sampled_from(EMOJI)), st.integers(2, 30))
def test_characters_that_count_together_stay_together(parts: list[str], width: int) -> None:
    assert_wrapped(safe("".join(parts)), width)
    assert all(row[0] not in "\ufe0f\u200d\u0301" for row in wrap_line("".join(parts), width) if row)


def test_runs_of_one_width_are_of_that_width() -> None:
    for character in map(chr, range(0x20, sys.maxunicode)):
        kind = _PIECES.fullmatch(character)
        if kind and kind.lastgroup:
            assert cell_width(character) == _SIZES[kind.lastgroup], hex(ord(character))


@pytest.mark.parametrize(
    ("line", "width", "rows"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("a longword b", 4, ["a", "long", "word", "b"]),
        ("日本語です", 4, ["日本", "語で", "す"]),
        ("a日b", 2, ["a", "日", "b"]),
        ("1️⃣2️⃣3️⃣", 4, ["1️⃣2️⃣", "3️⃣"]),
    ],
)
def test_rows_break_at_spaces_and_long_words_where_they_must(line: str, width: int, rows: list[str]) -> None:
    assert wrap_line(line, width) == rows
