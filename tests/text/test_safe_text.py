import unicodedata

import pytest
from hostile import dangerous_in, hostile_bytes, hostile_strings
from hypothesis import given
from hypothesis import strategies as st

from batchtui.text import MARKS_ON_ONE_BASE, from_bytes, one_line, pasteable, safe

TRICKY = (
    "ae\u0301\u0302\u094d\u0915\u200c\u200d\u0645👩❤🏻\ufe0f\ufe0e\u20e31#\r\n\t \x1b\x9b\u202e\u200b\ud800"
    "\ue000\u1161\U000e0041\u1820\u180b\u061c"
)
ANY_TEXT = st.text(st.characters()) | st.text(st.sampled_from(TRICKY), max_size=60)


def test_nothing_dangerous_of_the_corpus_is_left() -> None:
    assert [name for name, text in hostile_strings() if dangerous_in(safe(text))] == []
    assert [name for name, data in hostile_bytes() if dangerous_in(from_bytes(data))] == []


def test_a_safe_text_of_the_corpus_stays_as_it_is() -> None:
    assert [name for name, text in hostile_strings() if safe(once := safe(text)) != once] == []


def test_no_text_of_the_corpus_grows_more_than_tenfold() -> None:
    assert [name for name, text in hostile_strings() if len(safe(text)) > 10 * len(text)] == []


@given(ANY_TEXT)
def test_no_text_at_all_stays_dangerous(text: str) -> None:
    assert dangerous_in(safe(text)) == []


@given(ANY_TEXT)
def test_safe_twice_is_safe_once(text: str) -> None:
    once = safe(text)
    assert safe(once) == once


@given(ANY_TEXT)
def test_a_text_grows_tenfold_at_most(text: str) -> None:
    assert len(safe(text)) <= 10 * len(text)


@given(st.binary())
def test_any_bytes_become_safe_text(data: bytes) -> None:
    assert dangerous_in(from_bytes(data)) == []


def is_printable(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and not dangerous_in(character)


@given(ANY_TEXT)
def test_all_printable_text_is_kept_in_its_order(text: str) -> None:
    rest = iter(safe(text))
    assert all(character in rest for character in text if is_printable(character))


def test_every_single_character_is_shown_safely() -> None:
    characters = [chr(code) for code in range(0x110000)]
    shown = safe("".join(f"a{character}b" for character in characters))
    assert dangerous_in(shown) == []
    assert safe(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;cHduZWQ=\x07", "␛]52;c;cHduZWQ=␇"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("\x9b31m", "‹U+009B›31m"),
        ("invoice\u202efdp.exe", "invoice‹U+202E›fdp.exe"),
        ("é\x1b", "é␛"),
        ("a\u200bb", "a‹U+200B›b"),
        ("\ud800", "‹U+D800›"),
        ("\U0010ffff", "‹U+10FFFF›"),
        ("a\r\nb\rc\n", "a\nb␍c\n"),
        ("é\r\nb\rc\n", "é\nb␍c\n"),
        ("a\tb", "a   b"),
        ("é\tb", "é   b"),
        ("e" + "\u0301" * 7 + "x", "e" + "\u0301" * 4 + "‹+3 marks›x"),
        ("\u200b" * 100, "‹U+200B›" * 16 + "‹+84 hidden›"),
        ("\u200b" * 20, "‹U+200B›" * 20),
        ("[bold]x[/]", "[bold]x[/]"),
    ],
)
def test_what_is_unsafe_becomes_a_picture_of_itself(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain text\nin two lines",
        "naïve café, “quoted” — 5 €",
        "返金にはどのくらい　かかりますか",
        "👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏿 1\ufe0f\u20e3 🇨🇭 ❤\ufe0f",
        "می\u200cخواهم",
        "ශ්\u200dරී ලංකා",
        "क्\u200dष",
        unicodedata.normalize("NFD", "hoàn tiền mất bao lâu"),
        unicodedata.normalize("NFD", "환불은 얼마나"),
        "שָׁלוֹם עֲלֵיכֶם",
        "ᠮᠣᠩᠭᠣᠯ\u180b",
        "non\u00a0breaking",
    ],
)
def test_text_that_people_write_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_a_plain_text_comes_back_as_the_same_object() -> None:
    for text in ("plain\n" * 1000, "日本\n" * 1000, "👩 plain" * 1000):
        assert safe(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "pay\u200dpal",
        "pay\u200cpal",
        "\u200d",
        "❤\ufe0f\ufe0f",
        "a\ufe0f",
        "1\ufe0f",
        "\u0915\u094d\u200d\u0915\u094d\u200d\u0915",
        "👩\u200d👩\u200d👩\u200d👩\u200d👩",
    ],
)
def test_a_joiner_or_selector_that_nothing_needs_is_shown(text: str) -> None:
    assert "‹U+" in safe(text)


def test_marks_are_counted_for_each_base() -> None:
    word = ("e" + "\u0301" * MARKS_ON_ONE_BASE) * 50
    assert safe(word) == word


def test_one_line_of_the_corpus_is_safe_and_has_no_break() -> None:
    assert [name for name, text in hostile_strings() if dangerous_in(one_line(text, 60), own="")] == []


@given(ANY_TEXT, st.integers(0, 30))
def test_one_line_is_safe_whatever_the_text(text: str, limit: int) -> None:
    assert dangerous_in(one_line(text, limit), own="") == []


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("a\n\n  b\r\nc", None, "a ⏎ b ⏎ c"),
        ("\n\n \t\nfirst", 20, "first"),
        ("first\n\n\n", 5, "first"),
        ("first second", 5, "firs…"),
        ("first second", 0, ""),
        ("\n" * 100_000, 10, ""),
        ("\n" * 100_000 + "x" * 100_000, 5, "xxxx…"),
        ("日本語の文章", 7, "日本語…"),
        ("می\u200cخواهم", 3, "می…"),
        ("", 5, ""),
    ],
)
def test_one_line_shows_the_first_part(text: str, limit: int | None, line: str) -> None:
    assert one_line(text, limit) == line


def test_bytes_that_are_not_utf_8_are_shown_by_their_value() -> None:
    assert from_bytes(b"\xef\xbb\xbfok \x9b2J \x1b[2J") == "ok \\x9b2J ␛[2J"


@given(ANY_TEXT)
def test_what_may_be_pasted_is_what_is_shown_with_its_tabs(text: str) -> None:
    assert dangerous_in(pasteable(text), own="\n\t") == []
    assert pasteable(text).count("\t") == text.count("\t")
    assert pasteable(text.replace("\t", " ")) == safe(text.replace("\t", " "))
