"""Plain text and pastes become contexts, the likeliest way first."""

import pytest

from batchtui.exchange.reading import InputError, Limits, read_batches
from batchtui.exchange.splitting import split_text
from batchtui.model import Context

WRAPPED = """Refunds are paid within fourteen days of the return reaching our
warehouse, to the card that was charged for the order in the first
place."""
OTHER_WRAPPED = """Our shipping partners deliver on weekdays between eight in the
morning and six in the evening."""


def kinds(text: str) -> list[tuple[str, int]]:
    return [(choice.kind, choice.count) for choice in split_text(text)]


def texts(text: str) -> list[str]:
    return [context.text for context in split_text(text)[0].contexts]


class TestTheLikeliestWay:
    def test_lines_without_blank_ones_are_a_context_each(self) -> None:
        assert kinds("Paid in 14 days.\nSent on weekdays.\nPrint the label.\n") == [("lines", 3), ("one", 1)]

    def test_one_line_is_one_context(self) -> None:
        assert kinds("only this\n") == [("one", 1)]
        assert texts("  only this\n") == ["only this"]

    def test_wrapped_paragraphs_are_a_context_each(self) -> None:
        text = f"{WRAPPED}\n\n{OTHER_WRAPPED}\n"
        assert kinds(text) == [("paragraphs", 2), ("lines", 5), ("one", 1)]
        assert texts(text) == [WRAPPED, OTHER_WRAPPED]

    def test_one_wrapped_paragraph_is_one_context(self) -> None:
        assert kinds(WRAPPED) == [("one", 1), ("lines", 3)]

    def test_lines_with_a_blank_one_between_each_are_counted_once(self) -> None:
        assert kinds("a\n\nb\n \t\nc") == [("paragraphs", 3), ("one", 1)]

    def test_groups_of_whole_sentences_are_a_context_a_line(self) -> None:
        text = "One sentence.\nAnother one.\n\nA third.\nA fourth!\n"
        assert kinds(text) == [("lines", 4), ("paragraphs", 2), ("one", 1)]

    @pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
    def test_any_line_end(self, end: str) -> None:
        assert texts(f"a{end}b{end}") == ["a", "b"]

    def test_only_the_ends_of_a_context_are_trimmed(self) -> None:
        assert texts(" a  b\t\n\tc\u2028d \n") == ["a  b", "c\u2028d"]

    @pytest.mark.parametrize("text", ["", "  \n\t\n"])
    def test_nothing_gives_no_choice(self, text: str) -> None:
        assert split_text(text) == ()

    @pytest.mark.parametrize(
        "text",
        [
            '["a", {"text": "b", "id": "7"}]',
            '{"query": "q", "contexts": ["a", {"text": "b", "id": 7}]}',
            '{"requests": [{"query": "q", "contexts": ["a", {"text": "b", "id": 7}]}]}',
            '{"text": "a"}\n{"text": "b", "id": 7}',
        ],
    )
    def test_json_that_parses_comes_first_and_the_rest_is_still_offered(self, text: str) -> None:
        choices = split_text(text)
        assert choices[0].kind == "json"
        assert choices[0].contexts == (Context("a"), Context("b", "7"))
        assert text in [choice.contexts[0].text for choice in choices[1:] if choice.kind == "one"]

    @pytest.mark.parametrize("text", ['["a", ', "[1, 2]", "{}", "[a] b", '["\\ud800"]', "[" * 100_000])
    def test_json_that_holds_no_contexts_is_text(self, text: str) -> None:
        assert "json" not in [choice.kind for choice in split_text(text)]

    def test_a_lone_surrogate_in_a_paste_is_no_crash(self) -> None:
        assert texts("[a\ud800\nb") == ["[a\ud800", "b"]


class TestFiles:
    def test_a_text_file_needs_a_query_and_says_how_it_was_read(self) -> None:
        opened = read_batches(b"a.\n\nb.\n", name="x.txt")
        assert (opened.form, opened.needs_query) == ("text", True)
        assert [context.text for context in opened.batch.requests[0].contexts] == ["a.", "b."]
        assert "paragraph" in opened.notes[0]

    def test_too_many_contexts(self) -> None:
        with pytest.raises(InputError, match="3 contexts"):
            read_batches(b"a.\nb.\nc.\n", limits=Limits(contexts=2))
