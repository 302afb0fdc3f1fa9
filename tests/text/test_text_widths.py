import pytest
from hostile import hostile_strings
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from batchtui.text import cell_width, fit, one_line, safe

LINES = [one_line(text, 500) for _, text in hostile_strings()]


def test_a_line_is_as_wide_as_textual_counts() -> None:
    assert [line for line in LINES if cell_width(line) != Content(line).cell_length] == []


@pytest.mark.parametrize("width", [0, 1, 2, 3, 10, 41, 500])
def test_a_fitted_line_has_exactly_the_width(width: int) -> None:
    assert [line for line in LINES if Content(fit(line, width)).cell_length != width] == []


@given(st.text(), st.integers(0, 40))
def test_any_text_can_be_fitted(text: str, width: int) -> None:
    assert cell_width(fit(one_line(text), width)) == width
    assert cell_width(one_line(text, width)) <= width


@given(st.text(), st.integers(1, 40))
def test_what_fits_is_kept_whole(text: str, room: int) -> None:
    line = safe(text).replace("\n", " ")
    assert fit(line, cell_width(line) + room) == line + " " * room
    assert fit(line, cell_width(line)) == line


def test_no_character_is_repeated_without_taking_room() -> None:
    characters = (chr(code) for code in range(0x20, 0x110000))
    free = [character for character in characters if cell_width(character) == 0]
    assert len(free) > 1000
    shown = {character: safe("a" + character * 50).replace("\n", "") for character in free}
    assert [character for character, line in shown.items() if line.count(character) > 4] == []


@pytest.mark.parametrize(
    ("line", "width", "fitted"),
    [
        ("ab", 4, "ab  "),
        ("abcdef", 4, "abc…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("👨\u200d👩\u200d👧 x", 3, "👨\u200d👩\u200d👧…"),
        ("x" * 1_000_000, 3, "xx…"),
        ("語" * 1_000_000, 3, "語…"),
    ],
)
def test_a_line_is_cut_between_characters_and_padded(line: str, width: int, fitted: str) -> None:
    assert fit(line, width) == fitted
