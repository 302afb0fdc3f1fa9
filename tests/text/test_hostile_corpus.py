import pytest
from hostile import dangerous_in, hostile_bytes, hostile_strings


def test_the_corpus_is_large_and_its_names_and_texts_are_their_own() -> None:
    strings = hostile_strings()
    assert len(strings) >= 250
    assert len({name for name, _ in strings}) == len(strings) == len({text for _, text in strings})
    assert len(hostile_bytes()) > len(strings)


@pytest.mark.parametrize("family", ["osc", "csi", "string", "escape", "control", "bidi", "surrogate"])
def test_every_text_of_a_controlling_family_is_found_dangerous(family: str) -> None:
    texts = [text for name, text in hostile_strings() if name.startswith(f"{family}:")]
    assert texts
    assert [text for text in texts if not dangerous_in(text)] == []


@pytest.mark.parametrize(
    ("screen", "found"),
    [
        ("plain\ntext", []),
        ("a\x1bb", ["U+001B at 1"]),
        (b"\x9b", ["U+DC9B at 0"]),
        ("é\u202e".encode(), ["U+202E at 1"]),
        ("e" + "\u0301" * 5, ["5 marks at 1"]),
        ("👩\u200d👩 ❤\ufe0f", []),
        ("a\u200db", ["U+200D at 1"]),
        ("👍🏽 a🏽", ["U+1F3FD at 4"]),
    ],
)
def test_the_finder_tells_what_is_dangerous_and_where(screen: str | bytes, found: list[str]) -> None:
    assert dangerous_in(screen) == found


def test_characters_of_the_app_itself_may_stand() -> None:
    assert dangerous_in("\x1b[31m\r\n", own="\x1b\r\n") == []
