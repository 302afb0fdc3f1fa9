"""JSON and JSONL become a batch, or an error that names the place."""

import json

import pytest

from batchtui.exchange.reading import InputError, Limits, Opened, ReadingCancelledError, read_batches
from batchtui.model import DEFAULT_MODEL, Batch, Context, Request


def read(value: str | bytes, name: str = "", limits: Limits | None = None) -> Opened:
    data = value if isinstance(value, bytes) else value.encode()
    return read_batches(data, name=name, limits=limits or Limits())


def refusal(value: str | bytes, name: str = "", limits: Limits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read(value, name, limits)
    return caught.value


ONE = '{"query": "q", "contexts": ["a"]}'
ONE_AS_BATCH = Batch((Request("q", (Context("a"),)),))


class TestForms:
    def test_the_apis_own_body(self) -> None:
        body = {
            "requests": [
                {"query": "q", "contexts": [{"text": "a"}, {"text": "b"}], "external_reference": "r"},
                {"query": "p", "contexts": [{"text": "c"}]},
            ]
        }
        opened = read(json.dumps(body, indent=2))
        assert opened.form == "json"
        assert opened.batch.requests == (
            Request("q", (Context("a"), Context("b")), "r"),
            Request("p", (Context("c"),)),
        )
        assert (opened.batch.model, opened.names_model, opened.notes) == (DEFAULT_MODEL, False, ())

    def test_a_body_that_names_its_model(self) -> None:
        opened = read('{"model": "@cf/x", "requests": [' + ONE + "]}")
        assert opened.names_model
        assert opened.batch.model == "@cf/x"

    @pytest.mark.parametrize("text", [ONE, f"[{ONE}]", f'{{"requests": [{ONE}]}}', f"\ufeff{ONE}\r\n"])
    def test_one_request_however_it_is_wrapped(self, text: str) -> None:
        assert read(text).batch == ONE_AS_BATCH

    def test_an_array_of_requests(self) -> None:
        assert len(read(f"[{ONE}, {ONE}]").batch.requests) == 2

    def test_one_request_a_line_with_blank_lines_and_crlf(self) -> None:
        opened = read(f"{ONE}\r\n\r\n  \n{ONE}", "a.jsonl")
        assert opened.form == "jsonl"
        assert opened.batch.requests == ONE_AS_BATCH.requests * 2

    def test_a_body_a_line(self) -> None:
        line = '{"requests": [' + ONE + "]}"
        assert read(f"{line}\n{line}\n").batch.requests == ONE_AS_BATCH.requests * 2

    def test_line_separators_inside_a_text_are_no_line_ends(self) -> None:
        line = json.dumps({"query": "q", "contexts": ["a\u2028b\x85c"]}, ensure_ascii=False)
        assert read(f"{line}\n{line}").batch.requests[1].contexts == (Context("a\u2028b\x85c"),)

    def test_contexts_bear_ids_and_relevance(self) -> None:
        contexts = '["a", {"text": "b", "id": 7, "relevance": 2.0}, {"text": "c", "id": "x", "relevance": 0}]'
        batch = read(f'{{"query": "q", "contexts": {contexts}, "external_reference": 12}}').batch
        assert batch.requests[0].external_reference == "12"
        assert batch.requests[0].contexts == (Context("a"), Context("b", "7", 2), Context("c", "x", 0))

    def test_ids_are_texts_and_may_be_numbers_of_any_size(self) -> None:
        large = 2**64
        contexts = f'[{{"text": "a", "id": {large}}}]'
        batch = read(f'{{"query": "q", "contexts": {contexts}, "external_reference": -{large}}}').batch
        assert batch.requests == (Request("q", (Context("a", str(large)),), f"-{large}"),)

    @pytest.mark.parametrize(
        "text",
        [
            '["a", "b"]',
            '[{"text": "a"}, "b"]',
            '{"contexts": ["a", {"text": "b"}]}',
            '"a"\n"b"\n',
            '{"text": "a"}\n{"text": "b"}\n',
        ],
    )
    def test_contexts_alone_need_a_query(self, text: str) -> None:
        opened = read(text, "a.jsonl" if "\n" in text else "a.json")
        assert opened.needs_query
        assert opened.batch.requests == (Request("", (Context("a"), Context("b"))),)

    def test_settings_in_the_requests_are_the_batchs(self) -> None:
        line = '{"query": "q", "contexts": ["a"], "truncate_inputs": true, "top_k": 3}'
        batch = read(f"{line}\n{line}").batch
        assert (batch.truncate_inputs, batch.top_k) == (True, 3)

    def test_settings_that_differ_are_left_out_and_told(self) -> None:
        opened = read(
            '[{"query": "q", "contexts": ["a"], "top_k": 3}, {"query": "q", "contexts": ["a"], "top_k": 4}]'
        )
        assert opened.batch.top_k is None
        assert any("top_k differs" in note for note in opened.notes)

    def test_unknown_keys_are_left_out_and_told_once(self) -> None:
        opened = read(f'{ONE[:-1]}, "answer": [1]}}\n{ONE[:-1]}, "answer": 2, "z": {{}}}}')
        assert opened.batch.requests == ONE_AS_BATCH.requests * 2
        assert [note for note in opened.notes if "'answer'" in note and "2 times" in note]
        assert len(opened.notes) == 2

    def test_many_unknown_keys_are_counted_and_not_listed(self) -> None:
        keys = ", ".join(f'"key {number}": 1' for number in range(1000))
        notes = read(f"{ONE[:-1]}, {keys}}}").notes
        assert len(notes) == 6
        assert "995 more" in notes[-1]


class TestRecognition:
    @pytest.mark.parametrize(
        ("text", "name", "form"),
        [
            (f"{ONE}\n{ONE}\n", "notes.txt", "jsonl"),
            (f"{ONE}\n{ONE}\n", "body.json", "jsonl"),
            (f"{ONE}\n", "one.jsonl", "jsonl"),
            (f"{ONE}\n", "one.txt", "json"),
            (f"{ONE}\n", "", "json"),
            (json.dumps([json.loads(ONE)], indent=1), "lines.jsonl", "json"),
            ("query,context\nq,a\n", "table.txt", "csv"),
            ("query\tcontext\nq\ta\n", "", "tsv"),
            ("[1] a footnote\n[2] another\n", "notes.txt", "text"),
            ("{curly} words\n", "notes.md", "text"),
        ],
    )
    def test_content_counts_before_the_name(self, text: str, name: str, form: str) -> None:
        assert read(text, name).form == form


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "line", "column", "word"),
        [
            ('{"query": "q", "contexts": ["a", ""]}', 1, 34, "context 1"),
            ('{"query": "q",\n "contexts": [\n {"text": ""}]}', 3, 11, "empty"),
            ('{"query": "", "contexts": ["a"]}', 1, 11, "query is empty"),
            ('{"query": 3, "contexts": ["a"]}', 1, 11, "query"),
            ('{"query": "q", "contexts": []}', 1, 28, "no contexts"),
            ('{"query": "q", "contexts": "a"}', 1, 28, "no list"),
            ('{"query": "q"}', 1, 1, "no contexts"),
            ('{"query": "q", "contexts": [3]}', 1, 29, "context 0"),
            ('{"query": "q", "contexts": [{"id": 1}]}', 1, 29, "no text"),
            ('{"query": "q", "contexts": [{"text": null}]}', 1, 29, "no text"),
            ('{"query": "q", "contexts": [{"text": 4}]}', 1, 38, "no text"),
            ('{"query": "q", "contexts": [{"text": "a", "relevance": 4}]}', 1, 56, "relevance is 4"),
            ('{"query": "q", "contexts": [{"text": "a", "relevance": 1.5}]}', 1, 56, "relevance is 1.5"),
            ('{"query": "q", "contexts": [{"text": "a", "relevance": true}]}', 1, 56, "relevance is True"),
            ('{"query": "q", "contexts": [{"text": "a", "relevance": "2"}]}', 1, 56, "relevance"),
            ('{"query": "q", "contexts": [{"text": "a", "id": [1]}]}', 1, 49, "id"),
            ('{"query": "q", "contexts": ["a"], "external_reference": 1.5}', 1, 57, "external_reference"),
            ('{"query": "q", "contexts": ["a"], "top_k": 0}', 1, 44, "top_k"),
            ('{"query": "q", "contexts": ["a"], "top_k": 2147483648}', 1, 44, "top_k"),
            ('{"query": "q", "contexts": ["a"], "truncate_inputs": 1}', 1, 54, "truncate_inputs"),
            ('{"requests": [{"query": "q", "contexts": ["a"]},\n 5]}', 2, 2, "not a request"),
            ('{"requests": 5}', 1, 14, "no list"),
            ('{"requests": [], "model": ""}', 1, 27, "model"),
            ('{"query": "q", "contexts": ["a", "é", \'b\']}', 1, 39, "not JSON"),
            ('{"query": "q", "contexts": ["a\\ud800"]}', 1, 31, "lone surrogate"),
            ('{"query": "q", "contexts": ["\\ud83d\\ude00 \\udc00"]}', 1, 43, "lone surrogate"),
            ('{"query": "q", "contexts": [NaN]}', 1, 29, "NaN"),
            ('{"query": "q", "contexts": ["a"]', 1, 33, "not JSON"),
            ('{"request_id": "1"}', 1, 1, "result of a batch"),
        ],
    )
    def test_the_place_is_named(self, text: str, line: int, column: int, word: str) -> None:
        error = refusal(text, "x.json")
        assert (error.line, error.column) == (line, column)
        assert word in error.thing
        assert error.remedy
        assert str(error).startswith(f"x.json, line {line}, column {column}: ")

    def test_a_line_of_jsonl_is_named_in_characters(self) -> None:
        error = refusal(f'{ONE}\n\n{{"query": "日本", "contexts": [""]}}\n', "x.jsonl")
        assert (error.line, error.column) == (3, 30)

    def test_every_fault_is_counted(self) -> None:
        bad = '{"query": "", "contexts": ["a"]}'
        error = refusal(f"{ONE}\n{bad}\n{{oops\n{bad}\n")
        assert (error.line, error.more) == (2, 2)
        assert "2 more" in str(error)
        assert refusal(f"[{bad}, {ONE}, {bad}]").more == 1

    def test_two_models_are_two_files(self) -> None:
        error = refusal(f'{ONE[:-1]}, "model": "a"}}\n{ONE[:-1]}, "model": "b"}}')
        assert error.line == 2
        assert "two files" in error.remedy

    def test_contexts_do_not_mix_with_requests(self) -> None:
        assert refusal(f'[{ONE}, "a"]').column == 37
        assert refusal(f'["a", {ONE}]').column == 7

    def test_a_request_without_a_query_among_others_is_told(self) -> None:
        assert "no query" in refusal(f'{{"contexts": ["a"]}}\n{ONE}').thing

    def test_a_result_is_told_from_a_request(self) -> None:
        error = refusal('{"requests": [{"query": "q", "ranking": [{"rank": 1, "text": "a"}]}]}')
        assert "JSONL" in error.remedy

    @pytest.mark.parametrize("text", ["", " \n\t\n", "[]", '{"requests": []}', "\ufeff"])
    def test_nothing_in_it_is_told(self, text: str) -> None:
        assert refusal(text, "x.json").remedy

    def test_the_last_of_a_doubled_key_counts_and_is_the_one_named(self) -> None:
        assert read('{"query": "p", "query": "q", "contexts": ["a"]}').batch == ONE_AS_BATCH
        assert refusal('{"query": "p", "query": "", "contexts": ["a"]}').column == 25


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_other_encodings_are_told_by_name(self, encoding: str) -> None:
        error = refusal(ONE.encode(encoding), "x.json")
        assert "UTF-" in error.thing
        assert "UTF-8" in error.remedy

    def test_a_byte_that_is_not_utf_8_is_named(self) -> None:
        error = refusal(b'{"query": "q",\n "contexts": ["caf\xe9"]}')
        assert (error.line, error.column) == (2, 19)
        assert "0xe9" in error.thing

    def test_a_surrogate_in_bytes_is_not_utf_8(self) -> None:
        assert (
            "0xed" in refusal('{"query": "\ud800", "contexts": ["a"]}'.encode("utf-8", "surrogatepass")).thing
        )

    def test_a_nul_byte_is_named(self) -> None:
        error = refusal(b'{"query": "q", "contexts": ["a\x00 and more text"]}')
        assert (error.column, "NUL" in error.thing) == (31, True)

    @pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x1f\x8b", b"%PDF-1.7", b"SQLite format 3\x00"])
    def test_other_kinds_of_file_are_told_with_a_remedy(self, start: bytes) -> None:
        assert refusal(start + b"\x01\x02").remedy


class TestLimits:
    def test_too_many_bytes(self) -> None:
        assert "33 bytes" in refusal(ONE, limits=Limits(bytes=20)).thing

    def test_too_many_contexts_in_all_requests_together(self) -> None:
        text = "\n".join([ONE] * 5)
        assert len(read(text, limits=Limits(contexts=5)).batch.requests) == 5
        error = refusal(text, limits=Limits(contexts=4))
        assert (error.line, error.more) == (5, 0)

    def test_json_nested_too_deeply_where_it_would_be_ignored(self) -> None:
        def nested(levels: int) -> str:
            return f'{ONE[:-1]}, "x": {"[" * (levels - 1)}{"]" * (levels - 1)}}}'

        assert read(nested(64)).batch == ONE_AS_BATCH
        assert "64 levels" in refusal(nested(65)).thing

    @pytest.mark.parametrize("opening", ["[", '{"requests":', '[{"a":'])
    def test_a_million_levels_are_refused(self, opening: str) -> None:
        assert refusal(opening * 1_000_000, "x.json").thing
        assert refusal(f'{ONE[:-1]}, "x": {opening * 1_000_000}}}\n{ONE}', "x.jsonl").thing

    @pytest.mark.parametrize("levels", [100, 500, 900, 980, 1000, 2000])
    @pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
    def test_depth_is_no_crash_wherever_it_stands(self, levels: int, opening: str, closing: str) -> None:
        deep = opening * levels + "1" + closing * levels
        for text in (
            deep,
            f'{{"query": {deep}, "contexts": ["a"]}}',
            f'{{"query": "q", "contexts": {deep}}}',
            f'{{"query": "q", "contexts": [{{"text": {deep}}}]}}',
            f'{{"query": "q", "contexts": [{{"text": "a", "id": {deep}}}]}}',
            f'{{"query": "q", "contexts": ["a"], "external_reference": {deep}}}',
            f'{{"requests": {deep}}}',
        ):
            assert refusal(text, "x.json").thing
            assert refusal(f"{text}\n{ONE}", "x.jsonl").thing

    def test_huge_numbers_are_no_crash(self) -> None:
        assert refusal(f'{ONE[:-1]}, "x": {"9" * 10_000}}}').thing
        assert refusal(f'{ONE[:-1]}, "x": 1e999}}').thing


class TestProgress:
    BIG = "\n".join([json.dumps({"query": "q", "contexts": ["x" * 1000] * 100})] * 30).encode()

    @pytest.mark.parametrize("data", [BIG, b"[" + BIG.replace(b"\n", b",") + b"]"])
    def test_bytes_done_rise_to_all(self, data: bytes) -> None:
        seen: list[tuple[int, int]] = []
        read_batches(data, on_progress=lambda done, of: seen.append((done, of)))
        assert seen == sorted(seen)
        assert len(seen) > 5
        assert seen[-1] == (len(data), len(data))

    @pytest.mark.parametrize("data", [BIG, b"[" + BIG.replace(b"\n", b",") + b"]"])
    def test_it_stops_when_it_is_told(self, data: bytes) -> None:
        asked: list[bool] = []

        def cancelled() -> bool:
            asked.append(True)
            return len(asked) == 3

        with pytest.raises(ReadingCancelledError):
            read_batches(data, cancelled=cancelled)
        assert len(asked) == 3
