"""What the fuzzers run on, with hostile bytes and arbitrary ones; a longer run is by hand."""

import pytest
from hostile import hostile_bytes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .fuzz_targets import TARGETS, bytes_for, fuzz_terminal, json_from

LONGEST = 100_000
FOUND = {
    "terminal": (
        # A flood of marks in a line of JSON: each mark alone is harmless.
        b"e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_bytes(name: str) -> None:
    texts = [data for _, data in hostile_bytes() if len(data) <= LONGEST]
    assert len(texts) > 400
    for data in texts:
        TARGETS[name](data)
        TARGETS[name](b'\x01{"query": "q", "contexts": ["' + data + b'"]}')
        TARGETS[name](b'{"success":false,"errors":[{"code":1,"message":"' + data + b'"}],"result":{}}')


@pytest.mark.parametrize(("name", "data"), [(name, data) for name in FOUND for data in FOUND[name]])
def test_what_a_fuzzer_found(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=500)
@example("e\u0301\u0302\u0303\u0304\u0305")
def test_any_text_in_a_terminal(text: str) -> None:
    fuzz_terminal(text.encode("utf-16-le", "surrogatepass"))
    fuzz_terminal(text.encode("utf-8", "surrogatepass"))


def test_the_bytes_of_an_answer_stand_for_it() -> None:
    answer = {"responses": [{"id": 1, "success": True, "result": {"response": [{"id": 1, "score": 0}]}}]}
    assert json_from(bytes_for(answer)) == answer
