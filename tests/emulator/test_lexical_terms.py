"""How texts are cut into terms."""

import pytest

from batchtui.emulator.scorers.lexical_terms import terms, without_accents

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An orange-cloud, 24/7!", ["an", "orange", "cloud", "24", "7"]),
        ("getUserName get_user_name", ["get", "user", "name", "get", "user", "name"]),
        ("C++ and C# and a+b", ["c++", "and", "c#", "and", "a", "b"]),
        ("Straße ÉTÉ", ["strasse", "été"]),
        ("ﬁne ｆｏｏ", ["fine", "foo"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("كِتَابٌ", ["كتاب"]),
        ("東京 is 大", ["東京", "is", "大"]),
        ("北京大学", ["北京", "京大", "大学"]),
        ("ไทย", ["ไทย"]),
        ("ประเทศ", ["ประเ", "ระเท", "ะเทศ"]),
        ("한국어 책", ["한국", "국어", "책"]),
        ("hi 🤗🦙", ["hi", "🤗", "🦙"]),
        ("?! --", ["?!", "--"]),
        (" \n", []),
        ("", []),
    ],
)
def test_a_text_is_cut_where_its_script_ends_words(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_composed_and_decomposed_letters_give_the_same_terms() -> None:
    assert terms("cafe\u0301 \u1112\u1161\u11ab") == terms("café 한")


def test_an_accent_can_be_left_out_but_not_a_vowel_sign() -> None:
    assert without_accents("crème brûlée") == "creme brulee"
    assert without_accents("हिन्दी") == "हिन्दी"


@pytest.mark.parametrize(
    "text",
    [
        "a" * MEGABYTE,
        "aB" * (MEGABYTE // 2),
        "é" * MEGABYTE,
        "a" + "\u0301\u0316" * (MEGABYTE // 10),
        "字" * MEGABYTE,
        "ก" * MEGABYTE,
        "🤗" * (MEGABYTE // 4),
        "\ud800" * MEGABYTE,
        "#" * MEGABYTE,
    ],
    ids=ascii,
)
def test_huge_texts_give_short_terms_and_no_more_than_they_have_characters(text: str) -> None:
    found = terms(text)
    assert max(map(len, found)) <= 66
    assert len(found) <= len(text)
