"""What is written as JSONL, CSV or curl and read again is the same batch, for any text."""

import re
from pathlib import Path

import msgspec
import pytest
from hostile import hostile_strings
from hypothesis import given
from hypothesis import strategies as st

from batchtui.exchange.json_form import write_jsonl
from batchtui.exchange.opening import read_file
from batchtui.exchange.reading import read_batches
from batchtui.exchange.requests_from_json import MOST_TOP_K
from batchtui.exchange.writing import export
from batchtui.model import Batch, Context, Request
from batchtui.text import safe

from .jobs_for_export import make_job, make_results

TEXT = st.text(min_size=1)
_SURROGATE = re.compile("[\ud800-\udfff]")
CONTEXT = st.builds(
    Context, text=TEXT, id=st.none() | st.text(), relevance=st.none() | st.integers(min_value=0, max_value=3)
)
REQUEST = st.builds(
    Request,
    query=TEXT,
    contexts=st.lists(CONTEXT, min_size=1, max_size=6).map(tuple),
    external_reference=st.none() | st.text(),
)
BATCH = st.builds(
    Batch,
    requests=st.lists(REQUEST, min_size=1, max_size=5).map(tuple),
    model=TEXT,
    truncate_inputs=st.none() | st.booleans(),
    top_k=st.none() | st.integers(min_value=1, max_value=MOST_TOP_K),
)


@given(BATCH, st.sampled_from(["", "x.jsonl", "x.json", "x.txt", "x.csv"]))
def test_a_batch_as_jsonl_is_the_same_batch_again(batch: Batch, name: str) -> None:
    opened = read_batches(write_jsonl(batch).encode(), name=name)
    assert opened.batch == batch
    assert not opened.needs_query
    assert opened.notes == ()


@given(BATCH)
def test_the_order_of_lines_and_line_ends_do_not_matter(batch: Batch) -> None:
    lines = write_jsonl(batch).splitlines()
    again = read_batches("\r\n".join(reversed(lines)).encode("utf-8-sig"), name="x.jsonl").batch
    assert again == msgspec.structs.replace(batch, requests=tuple(reversed(batch.requests)))


def test_hostile_texts_come_back_to_the_character() -> None:
    texts = [text for _, text in hostile_strings() if text and not _SURROGATE.search(text)]
    assert len(texts) > 200
    requests = tuple(Request("q", (Context(text),)) for text in texts)
    assert read_batches(write_jsonl(Batch(requests)).encode()).batch.requests == requests


def test_grades_are_written_as_relevance_in_place_of_what_was_there() -> None:
    batch = Batch((Request("q", (Context("a", None, 3), Context("b"))),))
    text = export(make_job(batch), batch, None, [{1: 2}], "jsonl")
    assert read_batches(text.encode()).batch.requests[0].contexts == (Context("a"), Context("b", None, 2))


@given(BATCH.map(lambda batch: msgspec.structs.replace(batch, model="@cf/baai/bge-m3", top_k=None)))
def test_a_batch_as_curl_is_the_same_but_for_what_is_not_sent(batch: Batch) -> None:
    sent = tuple(
        Request(
            request.query,
            tuple(Context(context.text) for context in request.contexts),
            request.external_reference,
        )
        for request in batch.requests
    )
    opened = read_batches(export(make_job(batch), batch, None, None, "curl").encode())
    assert opened.form == "curl"
    assert opened.batch == msgspec.structs.replace(batch, requests=sent)


class TestCsv:
    FORMULAS = st.text(st.sampled_from(";|,\n\"' =+-@\u00a0−a"), min_size=1)

    @staticmethod
    def as_csv_again(batch: Batch) -> Batch:
        # Scores that fall keep the contexts in their order.
        results = [
            result
            for request in batch.requests
            for result in make_results(
                Batch((request,)), [-float(index) for index in range(len(request.contexts))]
            )
        ]
        return read_batches(export(make_job(batch), batch, results, None, "csv").encode(), name="x.csv").batch

    @given(st.lists(st.lists(FORMULAS, min_size=1, max_size=4), min_size=1, max_size=3))
    def test_a_batch_as_csv_is_the_same_batch_again(self, texts: list[list[str]]) -> None:
        requests = tuple(
            Request(own[-1], tuple(Context(text, text, 2) for text in own), f"{number};-{own[0]}")
            for number, own in enumerate(texts)
        )
        assert self.as_csv_again(Batch(requests)) == Batch(requests)

    def test_hostile_texts_come_back_as_they_are_shown(self) -> None:
        texts = [text for _, text in hostile_strings() if text and len(text) < 20_000]
        shown = tuple(Context(safe(text)) for text in texts)
        batch = Batch((Request("q", tuple(map(Context, texts))),))
        assert self.as_csv_again(batch).requests[0].contexts == shown

    def test_an_apostrophe_in_a_table_of_others_is_theirs(self) -> None:
        read = read_batches(b"query,context\nq,'=1\n", name="x.csv").batch
        assert read.requests[0].contexts == (Context("'=1"),)


class TestSamples:
    SAMPLES = Path(__file__).parents[2] / "assets" / "samples"

    def test_the_tables_and_the_lines_hold_the_same(self) -> None:
        lines, comma, tab = (read_file(self.SAMPLES / f"refunds.{form}") for form in ("jsonl", "csv", "tsv"))
        assert lines.batch == comma.batch == tab.batch
        assert lines.batch.context_count == 24
        assert (lines.form, comma.form, tab.form) == ("jsonl", "csv", "tsv")

    @pytest.mark.parametrize(
        ("form", "requests", "contexts"), [("json", 3, 24), ("curl", 1, 8), ("txt", 1, 8)]
    )
    def test_the_others_are_read(self, form: str, requests: int, contexts: int) -> None:
        opened = read_file(self.SAMPLES / f"refunds.{form}")
        assert opened.form == ("text" if form == "txt" else form)
        assert (len(opened.batch.requests), opened.batch.context_count) == (requests, contexts)
        assert opened.needs_query == (form == "txt")
