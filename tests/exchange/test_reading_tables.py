"""CSV and TSV become a batch: columns by name, rows gathered into requests."""

import pytest

from batchtui.exchange.reading import InputError, Limits, Opened, read_batches
from batchtui.model import Context, Request


def read(text: str, name: str = "x.csv") -> Opened:
    return read_batches(text.encode(), name=name)


def refusal(text: str, name: str = "x.csv", limits: Limits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read_batches(text.encode(), name=name, limits=limits or Limits())
    return caught.value


class TestRows:
    def test_rows_with_one_query_are_one_request_in_the_order_of_first_sight(self) -> None:
        opened = read("query,context\nq,a\np,b\nq,c\n")
        assert opened.form == "csv"
        assert opened.batch.requests == (
            Request("q", (Context("a"), Context("c"))),
            Request("p", (Context("b"),)),
        )

    def test_rows_with_one_reference_are_one_request_and_the_query_need_stand_once(self) -> None:
        opened = read("external_reference,query,context\n1,q,a\n2,q,b\n1,,c\n")
        assert opened.batch.requests == (
            Request("q", (Context("a"), Context("c")), "1"),
            Request("q", (Context("b"),), "2"),
        )

    def test_column_names_in_any_case_order_and_with_spaces(self) -> None:
        opened = read("Relevance, CONTEXT ,Id,Query\n2,a,7,q\n,b,,q\n1.0,c,,q\n")
        assert opened.batch.requests[0].contexts == (
            Context("a", "7", 2),
            Context("b"),
            Context("c", None, 1),
        )

    @pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
    def test_the_delimiter_is_found(self, delimiter: str) -> None:
        text = f"query{delimiter}context\nq{delimiter}a\n"
        assert read(text, "").batch.requests == (Request("q", (Context("a"),)),)

    def test_quoted_texts_keep_commas_quotes_and_line_breaks(self) -> None:
        opened = read('query,context\nq,"a, ""b""\r\nc\n\nd"\nq,e\n')
        assert opened.batch.requests[0].contexts == (Context('a, "b"\r\nc\n\nd'), Context("e"))

    def test_crlf_byte_order_mark_and_blank_rows(self) -> None:
        opened = read("\ufeffquery,context\r\n\r\nq,a\r\n,\r\n")
        assert opened.batch.requests == (Request("q", (Context("a"),)),)

    def test_old_mac_line_ends(self) -> None:
        assert read("query,context\rq,a\rq,b\r").batch.context_count == 2

    def test_a_text_of_more_than_128_kb(self) -> None:
        long = "word " * 50_000
        assert read(f"query,context\nq,{long}\n").batch.requests[0].contexts == (Context(long),)

    def test_unknown_columns_are_told(self) -> None:
        opened = read("query,context,score\nq,a,0.5\n")
        assert any("'score'" in note for note in opened.notes)

    def test_a_table_without_queries_needs_one(self) -> None:
        opened = read("id,context\n1,a\n2,b\n")
        assert opened.needs_query
        assert opened.batch.requests == (Request("", (Context("a", "1"), Context("b", "2"))),)


class TestTsv:
    def test_quotation_marks_that_quote(self) -> None:
        assert read('query\tcontext\nq\t"a\tb"\n').batch.requests[0].contexts == (Context("a\tb"),)

    @pytest.mark.parametrize("text", ['"Hello" she said', '"never closed', 'a "b" c'])
    def test_quotation_marks_that_do_not(self, text: str) -> None:
        opened = read(f"query\tcontext\nq\t{text}\nq\tb\n", "x.tsv")
        assert opened.form == "tsv"
        assert opened.batch.requests[0].contexts == (Context(text), Context("b"))


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "line", "word"),
        [
            ("a,b\n1,2\n", 1, "context"),
            ("query,context,context\nq,a,b\n", 1, "two columns"),
            ("query,context\nq,a\nq,\n", 3, "context is empty"),
            ("query,context\n,a\n", 2, "query is empty"),
            ("query,context\nq\n", 2, "context is empty"),
            ('query,context\nq,"a\nb"\nq,a,b\n', 4, "3 cells"),
            ('query,context\nq,"a" b\n', 2, "quoted"),
            ('query,context\nq,a\nq,"never closed\nmore\n', 3, "quoted"),
            ("query,context,relevance\nq,a,4\n", 2, "relevance"),
            ("query,context,relevance\nq,a,high\n", 2, "relevance"),
            ("query,context,relevance\nq,a,nan\n", 2, "relevance"),
            ("query,context,external_reference\nq,a,1\np,b,1\n", 3, "line 2"),
        ],
    )
    def test_the_line_is_named(self, text: str, line: int, word: str) -> None:
        error = refusal(text)
        assert error.line == line
        assert word in error.thing
        assert error.remedy
        assert f"line {line}" in str(error)

    def test_every_fault_is_counted(self) -> None:
        assert refusal("query,context\n,a\nq,b\nq,\n").more == 1

    def test_a_header_alone_is_told(self) -> None:
        assert "nothing" in refusal("query,context\n").thing

    def test_too_many_contexts(self) -> None:
        assert refusal("query,context\nq,a\nq,b\nq,c\n", limits=Limits(contexts=2)).line == 4
