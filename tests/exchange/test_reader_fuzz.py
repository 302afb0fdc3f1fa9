"""Any bytes give a batch or an InputError, whatever their name, and any text a choice of contexts."""

import json

import pytest
from hostile import dangerous_in, hostile_bytes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchtui.exchange.json_place import place_of
from batchtui.exchange.reading import InputError, Limits, read_batches
from batchtui.exchange.splitting import split_text

NAMES = st.sampled_from(["", "x.json", "x.jsonl", "x.csv", "x.tsv", "x.txt", "x", "a.b/c"])
KEYS = st.sampled_from(
    [
        "query",
        "contexts",
        "text",
        "id",
        "relevance",
        "external_reference",
        "requests",
        "model",
        "top_k",
        "ranking",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)
FRAGMENTS = st.sampled_from(
    [
        *(
            "query",
            "context",
            "relevance",
            ",",
            "\t",
            ";",
            '"',
            '""',
            "\n",
            "\r\n",
            "\r",
            "{",
            "}",
            "[",
            "]",
            ":",
        ),
        *(
            '{"query":"q","contexts":["a"]}',
            '"\\ud800"',
            "\\",
            "'",
            "$'",
            "curl ",
            " -d ",
            "https://x/ai/run/m ",
        ),
        *(
            "printf '%s' ",
            " | ",
            "@-",
            "\ufeff",
            "\x00",
            "日本",
            "\u2028",
            "é",
            " ",
            "0",
            "q,a",
            "NaN",
            "1e999",
        ),
    ]
)


def read_or_refuse(data: bytes, name: str) -> None:
    try:
        opened = read_batches(data, name=name, limits=Limits(bytes=2_000_000, contexts=200_000))
    except InputError as error:
        assert error.thing
        assert error.remedy
        assert dangerous_in(str(error), own="") == []
        return
    assert opened.batch.context_count > 0
    assert all(context.text for request in opened.batch.requests for context in request.contexts)
    assert opened.needs_query == any(not request.query for request in opened.batch.requests)


@given(st.binary(max_size=300), NAMES)
@settings(max_examples=300)
def test_bytes(data: bytes, name: str) -> None:
    read_or_refuse(data, name)


@given(st.lists(FRAGMENTS, max_size=30).map("".join), NAMES)
@settings(max_examples=600)
@example("query,context\r\rq,a", "x.csv")
@example('curl x -d "', "")
def test_fragments_of_every_form(text: str, name: str) -> None:
    read_or_refuse(text.encode(), name)


@given(VALUES, NAMES, st.booleans())
@settings(max_examples=600)
def test_json_of_every_shape(value: object, name: str, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    read_or_refuse(text.encode("utf-8", "surrogatepass"), name)


@given(st.lists(VALUES, min_size=1, max_size=4), NAMES)
@settings(max_examples=300)
def test_jsonl_of_every_shape(values: list[object], name: str) -> None:
    read_or_refuse("\n".join(map(json.dumps, values)).encode("utf-8", "surrogatepass"), name)


@pytest.mark.parametrize("name", ["", "x.json", "x.jsonl", "x.csv", "x.tsv", "x.txt"])
def test_hostile_bytes(name: str) -> None:
    for _, data in hostile_bytes():
        read_or_refuse(data, name)
        read_or_refuse(b"query,context\nq," + data, name)
        read_or_refuse(b'{"query": "q", "contexts": ["' + data + b'"]}', name)
        read_or_refuse(b"curl x -d '" + data + b"'", name)


@given(st.text(), st.lists(FRAGMENTS, max_size=20).map("".join))
@settings(max_examples=300)
def test_any_text_can_be_split(text: str, fragments: str) -> None:
    for given_text in (text, fragments):
        choices = split_text(given_text)
        assert bool(choices) == bool(given_text.strip())
        assert len({choice.contexts for choice in choices}) == len(choices)
        assert all(context.text for choice in choices for context in choice.contexts)


@given(VALUES, st.data())
def test_a_place_in_json_is_the_place_of_that_value(value: object, data: st.DataObject) -> None:
    path: list[str | int] = []
    here = value
    while isinstance(here, list | dict) and here and data.draw(st.booleans()):
        if isinstance(here, list):
            place = data.draw(st.integers(0, len(here) - 1))
            path.append(place)
            here = here[place]
        else:
            key = data.draw(st.sampled_from(sorted(here)))
            path.append(key)
            here = here[key]
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    found, _ = json.JSONDecoder().raw_decode(text, place_of(text, path))
    assert json.dumps(found) == json.dumps(here)
