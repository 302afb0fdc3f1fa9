"""Whatever a terminal sends, in whatever pieces: a paste is one paste to the byte, a key is a key.

Each family of hostile texts is pasted in a share; all of them, and at their full length, with
BATCHTUI_EXHAUSTIVE=1.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hostile import hostile_bytes, hostile_strings
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from batchtui.ui.terminal_input import PASTE_ENDS, PASTE_STARTS, TerminalInput

from .support import EXHAUSTIVE, LONG, environment, opened, sample
from .terminal import terminal

STARTS, ENDS = PASTE_STARTS.encode(), PASTE_ENDS.encode()
LONGEST = 2_000_000 if EXHAUSTIVE else 20_000
SHORT = 300
# A terminal takes the mark out of what it pastes.
PASTED = [
    pytest.param(data, id=name)
    for name, data in sample(hostile_bytes(), 2)
    if len(data) <= LONGEST and ENDS not in data
]
# Sequences of no key: of numbers that are none, too large or no character, and a screen without a size.
IMPOSSIBLE = [
    b"\x1b[1:2;3u",
    b"\x1b[1;1:3A",
    b"\x1b[;:u",
    b"\x1b[1114112u",
    b"\x1b[99999999999999999999u",
    b"\x1b[97;1;1114112u",
    b"\x1b[48;0;0;0;0t\x1b[<0;5;5M",
]
SEQUENCE_PARTS = ["\x1b", *"[<?;:019uM~mtRAOPx", "48;", "200", "9999999999", "$y", "\x9b", "é", "\0", "\r"]


class Time:
    """The time of Textual's parser, which stands still."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    held = Time()
    monkeypatch.setattr("textual._parser.get_time", held)
    return held


Read = tuple[str, str | None]


def told(messages: Iterable[Message]) -> Iterator[Read]:
    for message in messages:
        if isinstance(message, events.Paste):
            yield "paste", message.text
        elif isinstance(message, events.Key):
            yield "key", message.character if message.is_printable else message.key


def read(*pieces: bytes) -> list[Read]:
    """What comes of these pieces, of which each follows at once."""
    terminal_input = TerminalInput()
    return [one for piece in pieces for one in told(terminal_input.feed(piece))]


def keys(text: str) -> list[Read]:
    return [("key", character) for character in text]


def pasted(data: bytes) -> Read:
    return "paste", data.decode("utf-8", "replace")


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The data in pieces that end at these places."""
    bounds = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


class TestAPaste:
    @pytest.mark.parametrize("data", PASTED)
    def test_is_one_paste_to_the_byte_between_the_keys_before_and_after(self, data: bytes) -> None:
        typed = b"a\x1b[A" + STARTS + data + ENDS + b"b\x1b[B\r"
        expected = [
            ("key", "a"),
            ("key", "up"),
            pasted(data),
            ("key", "b"),
            ("key", "down"),
            ("key", "enter"),
        ]
        assert read(typed) == expected
        places = random.Random(len(data))
        for _ in range(3):
            assert read(*cut(typed, places.sample(range(len(typed)), 6))) == expected
        if len(data) <= SHORT:
            assert read(*(typed[place : place + 1] for place in range(len(typed)))) == expected

    def test_is_one_paste_wherever_it_is_cut(self) -> None:
        typed = b"a" + STARTS + "\x1b[31m日\0\x1b[20".encode() + ENDS + b"b"
        expected = [("key", "a"), ("paste", "\x1b[31m日\0\x1b[20"), ("key", "b")]
        for places in combinations(range(1, len(typed)), 2):
            assert read(*cut(typed, places)) == expected, places

    def test_may_be_empty(self) -> None:
        assert read(STARTS + ENDS, b"a") == [("paste", ""), ("key", "a")]

    def test_may_follow_another(self) -> None:
        typed = STARTS + b"one\x1b" + ENDS + STARTS + b"\x1b[2Jtwo" + ENDS + STARTS + STARTS + ENDS + b"z"
        expected = [("paste", "one\x1b"), ("paste", "\x1b[2Jtwo"), ("paste", PASTE_STARTS), ("key", "z")]
        assert read(typed) == expected
        assert read(*(typed[place : place + 1] for place in range(len(typed)))) == expected

    def test_that_holds_its_own_end_ends_there_and_the_rest_is_typed(self) -> None:
        assert read(STARTS + b"\x1b[2J" + ENDS + b"rm" + ENDS + b"x") == [("paste", "\x1b[2J"), *keys("rmx")]

    def test_that_does_not_end_types_nothing_and_is_whole_when_it_ends(self, time: Time) -> None:
        terminal_input = TerminalInput()
        pieces = [STARTS, b"\x1b", b"\x11\x13\r", b"\x1b[201", b"x" * 100_000, b"\x1b[A\x1b[20"]
        for piece in pieces:
            assert list(told(terminal_input.feed(piece))) == []
            time.now += 60
            assert list(told(terminal_input.tick())) == []
        whole = b"".join(pieces)[len(STARTS) :] + b"0"
        assert list(told(terminal_input.feed(b"0" + ENDS + b"z"))) == [pasted(whole), ("key", "z")]

    def test_a_character_that_is_cut_off_by_the_end_is_marked(self) -> None:
        assert read(STARTS + b"a\xe6\x97", ENDS) == [("paste", "a\ufffd")]

    @pytest.mark.parametrize("place", range(1, len(STARTS)))
    def test_is_not_typed_where_its_mark_came_too_slowly(self, time: Time, place: int) -> None:
        terminal_input = TerminalInput()
        typed = list(told(terminal_input.feed(STARTS[:place])))
        time.now += 1
        typed += told(terminal_input.tick())
        assert {kind for kind, _ in typed} == {"key"}
        rest = STARTS[place:] + b"\x1b[31m\x11\0" + ENDS + b"z"
        assert list(told(terminal_input.feed(rest))) == [("paste", "\x1b[31m\x11\0"), ("key", "z")]

    def test_after_an_escape_that_was_a_key(self, time: Time) -> None:
        terminal_input = TerminalInput()
        assert list(told(terminal_input.feed(b"\x1b"))) == []
        time.now += 1
        assert list(told(terminal_input.tick())) == [("key", "escape")]
        after = list(told(terminal_input.feed(b"[20\x1b[A" + STARTS + b"\x1bx" + ENDS)))
        assert after == [*keys("[20"), ("key", "up"), ("paste", "\x1bx")]


typed_parts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1).map(
        lambda text: (text.encode(), keys(text))
    ),
    st.sampled_from([(b"\x1b[A", [("key", "up")]), (b"\x13", [("key", "ctrl+s")])]),
    st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
    .filter(lambda data: ENDS not in data)
    .map(lambda data: (STARTS + data + ENDS, [pasted(data)])),
)


@given(st.lists(typed_parts, max_size=8), st.data())
def test_any_keys_and_pastes_in_any_pieces(
    parts: list[tuple[bytes, list[Read]]], data: st.DataObject
) -> None:
    typed = b"".join(given for given, _ in parts)
    places = data.draw(st.lists(st.integers(0, len(typed)), max_size=20))
    assert read(*cut(typed, places)) == [one for _, expected in parts for one in expected]


class TestKeys:
    @pytest.mark.parametrize("data", [b"\x80", b"\xff", b"\xc3(", b"\xf4\x90\x80\x80", b"\xed\xa0\x80"])
    def test_bytes_that_are_not_utf8_are_marked_and_end_nothing(self, data: bytes) -> None:
        typed = keys(data.decode("utf-8", "replace"))
        assert typed[0] == ("key", "\ufffd")
        assert read(b"a", data, b"b") == [("key", "a"), *typed, ("key", "b")]
        assert read(*(bytes([byte]) for byte in data), b"b") == [*typed, ("key", "b")]

    @pytest.mark.parametrize("sequence", IMPOSSIBLE)
    def test_a_sequence_of_no_key_is_passed_over(self, sequence: bytes) -> None:
        assert read(b"a", sequence, b"b") == keys("ab")

    def test_any_hostile_text_typed_is_followed_by_the_next_key(self, time: Time) -> None:
        for name, data in hostile_bytes():
            if len(data) <= LONG:
                assert _next_key_after(data, time) == ("key", "z"), name

    @example("\x1b[1:2;3u")
    @given(st.lists(st.sampled_from(SEQUENCE_PARTS), max_size=12).map("".join))
    def test_any_sequence_is_followed_by_the_next_key(self, sequence: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            time = Time()
            patch.setattr("textual._parser.get_time", time)
            assert _next_key_after(sequence.encode(), time) == ("key", "z")


def _next_key_after(data: bytes, time: Time) -> Read:
    terminal_input = TerminalInput()
    list(terminal_input.feed(data))
    if STARTS in data:
        list(terminal_input.feed(ENDS))
    time.now += 1
    list(terminal_input.tick())
    # Before it may come the sign for a character that was cut off.
    return list(told(terminal_input.feed(b"z")))[-1]


def test_the_program_takes_them_and_keeps_what_was_typed(tmp_path: Path) -> None:
    odd = b"one\xff\xc3(" + b"".join(IMPOSSIBLE)
    paste = next(text for name, text in hostile_strings() if name == "string: DCS tmux passthrough")
    with terminal([], environment(tmp_path), tmp_path) as app:
        app.read_until("Compose")
        app.settle(1.0)
        app.press(odd + STARTS + paste.encode() + ENDS + b"two", first=1.0)
        assert app.quit() == 0
    service = opened(tmp_path)
    (draft,) = service.drafts()
    service.close()
    assert [request.query for request in draft.batch.requests] == [f"one\ufffd\ufffd({paste}two"]
