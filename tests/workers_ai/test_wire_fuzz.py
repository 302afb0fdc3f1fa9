"""Whatever bytes come, decoding returns an answer or raises MalformedAnswer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.workers_ai.catalogue import from_search
from batchtui.workers_ai.wire import (
    BatchFailed,
    Complete,
    MalformedAnswer,
    Queued,
    decode_answer,
    decode_envelope,
    decode_run,
)

KEYS = [
    *("success", "result", "responses", "results", "response", "id", "index", "score", "status"),
    *("request_id", "model", "error", "errors", "message", "code", "usage", "prompt_tokens", "total_tokens"),
    *("external_reference", "name", "properties", "property_id", "value", "task", "schema"),
]
ANY_TEXT = st.text(st.characters(), max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30)
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(["queued", "running", "failed", "1", "true", "context_window", "price", "async_queue"])
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        | st.dictionaries(ANY_TEXT, inner, max_size=2)
    ),
    max_leaves=25,
)


def either(scalar: Any) -> Any:
    """Mostly the right type, sometimes anything."""
    return scalar | SCALARS


SCORES = st.lists(
    st.fixed_dictionaries({}, optional={"id": either(st.integers(0, 3)), "score": either(st.floats())}),
    max_size=3,
)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": either(st.integers(0, 3)),
        "index": either(st.integers(0, 3)),
        "success": either(st.booleans()),
        "external_reference": either(ANY_TEXT),
        "result": either(st.fixed_dictionaries({"response": either(SCORES)}) | SCORES),
        "error": ANY_JSON,
        "usage": ANY_JSON,
    },
)
NEAR_ANSWERS = st.fixed_dictionaries(
    {"success": st.just(True)},
    optional={
        "result": st.fixed_dictionaries(
            {},
            optional={
                "status": either(st.sampled_from(["queued", "failed"])),
                "request_id": either(ANY_TEXT),
                "responses": either(st.lists(ITEMS, max_size=3)),
                "results": either(st.lists(ITEMS, max_size=3)),
                "usage": ANY_JSON,
                "error": ANY_JSON,
            },
        ),
        "errors": ANY_JSON,
    },
)


def decode_all(body: bytes) -> None:
    decode_envelope(body)
    for decode in (decode_answer, decode_run, from_search):
        try:
            decoded = decode(body)
        except MalformedAnswer as malformed:
            assert malformed.where
            str(malformed).encode()
        else:
            assert isinstance(decoded, Queued | Complete | BatchFailed | tuple)
            repr(decoded).encode()


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    decode_all(body)


@given(ANY_JSON)
def test_any_json(value: Any) -> None:
    decode_all(json.dumps(value).encode())
    decode_all(json.dumps({"success": True, "result": value}).encode())


@given(NEAR_ANSWERS)
def test_nearly_the_contract(value: Any) -> None:
    decode_all(json.dumps(value).encode())


@given(NEAR_ANSWERS, st.data())
def test_an_answer_with_bytes_changed(value: Any, data: st.DataObject) -> None:
    body = bytearray(json.dumps(value).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    decode_all(bytes(body[: data.draw(st.integers(0, len(body)))]))


@pytest.mark.parametrize("depth", [10, 100, 500, 900, 990, 1000, 5000])
def test_any_depth(depth: int) -> None:
    decode_all(b'{"success":true,"result":' + b"[" * depth + b"]" * depth + b"}")
