"""What is fuzzed: functions that take any bytes and raise only where the program is wrong."""

import json
from collections.abc import Callable
from typing import Any

from dangerous import dangerous_in

from batchtui.exchange.json_form import write_jsonl
from batchtui.exchange.json_text import to_json
from batchtui.exchange.reading import InputError, Limits, read_batches
from batchtui.exchange.splitting import split_text
from batchtui.model import Context, Request, RequestResult
from batchtui.text import cell_width, fit, from_bytes, one_line, safe
from batchtui.workers_ai.catalogue import from_search
from batchtui.workers_ai.matching import match, match_response
from batchtui.workers_ai.wire import (
    Complete,
    MalformedAnswer,
    decode_answer,
    decode_envelope,
    decode_run,
    encode_batch,
)

NAMES = ("", "x.json", "x.jsonl", "x.csv", "x.tsv", "x.txt")
SENT = tuple(Request(f"query {number}", (Context("a"), Context("b")), f"r{number}") for number in range(3))

_KEYS = (
    *("success", "result", "responses", "results", "response", "id", "index", "score", "status"),
    *("request_id", "model", "error", "errors", "message", "code", "usage", "prompt_tokens", "total_tokens"),
    *("external_reference", "name", "properties", "property_id", "value", "task", "schema"),
)
_SCALARS = (
    *(None, True, False, 0.5, -1e308, 10**30, float("nan"), float("inf"), "", "\ud800", "a\x00b"),
    *("queued", "running", "failed", "1", "async_queue", "context_window", "price"),
)


def fuzz_wire(data: bytes) -> None:
    """Any answer of a service is decoded or refused, and what it holds is matched to what was sent."""
    _decode_and_match(data)
    _decode_and_match(json.dumps({"success": True, "result": json_from(data)}).encode())


def json_from(data: bytes) -> Any:
    """The JSON value that bytes stand for, by a stack machine: push, fold into a list, set a key.

    A mutation of raw JSON mostly breaks it; a mutation of these bytes is JSON again.
    """
    stack: list[Any] = [{}]
    for byte in data[:400]:
        kind, number = divmod(byte, 64)
        if kind == 0:
            stack.append(number - 2 if number < 16 else _SCALARS[number % len(_SCALARS)])
        elif kind == 1 and number >= 32:
            stack.append({})
        elif kind == 1:
            taken = min(number % 8, len(stack))
            stack[len(stack) - taken :] = [stack[len(stack) - taken :]]
        else:
            value = stack.pop()
            if not stack or not isinstance(stack[-1], dict):
                stack.append({})
            stack[-1][_KEYS[(byte - 128) % len(_KEYS)]] = value
    return stack[-1]


def bytes_for(value: Any) -> bytes:
    """The bytes that stand for a JSON value of small numbers, short lists and known keys."""
    match value:
        case dict():
            return b"\x60" + b"".join(
                bytes_for(held) + bytes([128 + _KEYS.index(key)]) for key, held in value.items()
            )
        case list():
            return b"".join(map(bytes_for, value)) + bytes([64 + len(value)])
        case bool() | str() | None:
            place = _SCALARS.index(value)
            return bytes([place if place >= 16 else place + len(_SCALARS)])
        case _:
            return bytes([value + 2])


def _decode_and_match(data: bytes) -> None:
    decode_envelope(data)
    for decode in (decode_answer, decode_run, from_search):
        try:
            decoded = decode(data)
        except MalformedAnswer as malformed:
            assert malformed.where
            str(malformed).encode()
            continue
        repr(decoded).encode()
        if isinstance(decoded, Complete):
            results, problems = match(SENT, decoded)
            assert len(results) == len(SENT)
            "".join(problems).encode()
            for result in results:
                _check_result(result)
    try:
        response, _ = decode_run(data)
    except MalformedAnswer:
        return
    _check_result(match_response(SENT[0], response))


def _check_result(result: RequestResult) -> None:
    places = [entry.index for entry in result.ranking.entries] if result.ranking else []
    assert len(set(places)) == len(places)
    assert set(places) <= {0, 1}
    assert result.success == bool(places)


def fuzz_readers(data: bytes) -> None:
    """Any file is read whole or refused in safe words; what was read can be sent, and read again."""
    name, data = NAMES[data[0] % len(NAMES)] if data else "", data[1:]
    try:
        opened = read_batches(data, name=name, limits=Limits(bytes=1_000_000, contexts=10_000))
    except InputError as error:
        assert error.thing
        assert error.remedy
        assert dangerous_in(str(error), own="") == []
        return
    assert opened.batch.context_count > 0
    assert opened.needs_query == any(not request.query for request in opened.batch.requests)
    assert dangerous_in("".join(map(one_line, opened.notes)), own="") == []
    sent = json.loads(encode_batch(opened.batch.requests))["requests"]
    assert [[context["text"] for context in request["contexts"]] for request in sent] == [
        [context.text for context in request.contexts] for request in opened.batch.requests
    ]
    if not opened.needs_query:
        again = read_batches(write_jsonl(opened.batch).encode(), name="x.jsonl")
        assert again.batch == opened.batch


def fuzz_terminal(data: bytes) -> None:
    """Any text is shown without a character that a terminal obeys, in the width that was given."""
    assert dangerous_in(from_bytes(data)) == []
    even = data[: len(data) // 2 * 2]
    for text in {data.decode("utf-8", "surrogateescape"), even.decode("utf-16-le", "surrogatepass")}:
        shown = safe(text)
        assert dangerous_in(shown) == []
        assert safe(shown) == shown
        assert len(shown) <= 10 * len(text)
        width = data[0] % 40 + 1 if data else 1
        for line in (one_line(text), one_line(text, width), fit(one_line(text), width)):
            assert dangerous_in(line, own="") == []
        assert cell_width(one_line(text, width)) <= width
        assert cell_width(fit(one_line(text), width)) == width
        written = to_json([text])
        assert dangerous_in(written) == []
        assert json.loads(written) == [text] or _has_surrogate_pair(text)
        for choice in split_text(text):
            assert all(context.text for context in choice.contexts)


def _has_surrogate_pair(text: str) -> bool:
    """Two lone surrogates side by side: JSON writes them as one character beyond the basic plane."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") != text


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": fuzz_wire,
    "readers": fuzz_readers,
    "terminal": fuzz_terminal,
}
