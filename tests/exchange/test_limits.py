"""What is passed over a limit is refused before it is worked on, in words that name the limit."""

import json
import subprocess
import sys

import pytest

from batchtui.exchange.reading import InputError, Limits, read_batches
from batchtui.exchange.source import MOST_FAULTS

ONE = '{"query": "q", "contexts": ["a"]}'
BESIDE = '{"query": "q", "contexts": ["a"], "x": '
FEW = Limits(contexts=100, pieces=500)


def refusal(text: str, name: str, limits: Limits = FEW) -> InputError:
    with pytest.raises(InputError) as caught:
        read_batches(text.encode(), name=name, limits=limits)
    return caught.value


class TestPieces:
    @pytest.mark.parametrize(
        ("text", "name", "what"),
        [
            ("ab\n" * 501, "x.txt", "lines"),
            ("a" + "\r\n" * 501 + "b", "x.txt", "lines"),
            ("query,context\n" + "q,\n" * 501, "x.csv", "lines"),
            ("query,context\r" + ",\r" * 501, "x.csv", "lines"),
            ("query,context\n" + "," * 501 + "\n", "x.csv", "cells in a row"),
            ("[" + "1," * 501 + "1]", "x.json", "keys and values"),
            ("[" + '"",' * 501 + "1]", "x.json", "keys and values"),
            ('{"requests": [' + "1," * 501 + "1]}", "x.json", "keys and values"),
            (BESIDE + "[" + "[]," * 501 + "1]}", "x.json", "keys and values"),
            (ONE + "\n" + BESIDE + "{" + '"":1,' * 501 + '"":1}}', "x.jsonl", "keys and values"),
            ('"\n' + BESIDE + "[" + "1," * 501 + '"\\""]}\n"', "x.jsonl", "keys and values"),
            ("curl " + "\\a" * 501, "", "words and signs"),
            (f"curl -d '[{'1,' * 501}1]'", "", "keys and values"),
        ],
        ids=lambda value: value[:40],
    )
    def test_more_than_are_worth_taking_apart_are_refused(self, text: str, name: str, what: str) -> None:
        error = refusal(text, name)
        assert error.thing == f"there are more than 500 {what}"
        assert error.remedy

    def test_signs_inside_texts_are_no_values(self) -> None:
        line = json.dumps({"query": "q", "contexts": ['[{"a": "b\\\\"}, ' * 300]})
        for text in (line, f"{line}\n{line}", f"[{line},\n{line}]"):
            assert (
                read_batches(text.encode(), limits=FEW).batch.requests[0].contexts[0].text.count(",") == 300
            )

    def test_as_many_as_the_limit_says_are_taken(self) -> None:
        # The object, its three keys, q, two lists and a, and then the numbers.
        most = BESIDE + "[" + "1, " * 491 + "1"
        assert read_batches(f"{most}]}}".encode(), limits=FEW).batch.context_count == 1
        assert "500 keys" in refusal(f"{most}, 1]}}", "").thing

    def test_bodies_without_a_request_are_counted(self) -> None:
        for text in ('{"requests":[]}\n' * 101, "curl -d '{\"requests\":[]}'\n" * 101):
            assert "more than 100 bodies" in refusal(text, "", Limits(contexts=100)).thing

    def test_blank_lines_are_passed_over_however_many_there_are(self) -> None:
        opened = read_batches((ONE + "\n \t\r" * 5_000 + "\n  " + ONE).encode(), limits=FEW)
        assert (opened.form, opened.batch.context_count) == ("jsonl", 2)


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("[" + "1," * 5_000 + "1]", "x.json"),
            ("1\n" * 5_000, "x.jsonl"),
            ('{"query"\n' * 5_000, "x.jsonl"),
            ("query,context\n" + "q,\n" * 5_000, "x.csv"),
        ],
        ids=lambda value: value[:40],
    )
    def test_reading_stops_after_many(self, text: str, name: str) -> None:
        error = refusal(text, name, Limits())
        assert error.more == MOST_FAULTS - 1
        assert "and at least 999 more faults" in str(error)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of memory that holds")
@pytest.mark.parametrize(
    ("name", "start", "middle", "end"),
    [
        ("x.txt", "", "ab\n", ""),
        ("x.json", "[", "1,", "1]"),
        ("x.json", '{"query":"q","contexts":["a"],"x":[', "[],", "[]]}"),
        ("x.jsonl", "", "1\n", ""),
        ("x.csv", "query,context\n", "q,\n", ""),
    ],
)
def test_60_mb_of_crumbs_are_refused_in_little_memory(name: str, start: str, middle: str, end: str) -> None:
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (500 * 2**20,) * 2)
from batchtui.exchange.reading import InputError, read_batches
data = {start!r} + {middle!r} * (60_000_000 // {len(middle)}) + {end!r}
try:
    read_batches(data.encode(), name={name!r})
except InputError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "at least 999 more" in ended.stdout or "more than 6,000,000" in ended.stdout, ended.stderr
