"""The wire format of the Asynchronous Batch API: bodies out, answers in; no I/O.

Source: Cloudflare's documentation of the Workers AI Asynchronous Batch API, and published captures of it.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from batchtui.model import Request, Usage
from batchtui.workers_ai.strict_json import MalformedAnswer, bounded, read, whole_text

__all__ = [
    "BatchFailed",
    "Complete",
    "Envelope",
    "MalformedAnswer",
    "Queued",
    "Response",
    "UnencodableText",
    "decode_answer",
    "decode_envelope",
    "decode_run",
    "encode_batch",
    "encode_collect",
    "encode_request",
]

LONGEST_MESSAGE = 500
_LONGEST_NAME = 500
_FAILED_WORDS = frozenset({"error", "errored", "failed", "cancelled", "canceled"})

_Index = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class UnencodableText(ValueError):  # noqa: N818
    """A text that UTF-8 cannot hold, and its place in the batch."""


class Queued(Struct, frozen=True):
    """The batch was taken and is not done; `status` is `queued`, `running` or another word of the service."""

    request_id: str | None
    status: str
    model: str | None = None


class Response(Struct, frozen=True):
    """The answer to one request; `scores` are pairs of the context's index and its score, as they came."""

    index: int | None
    success: bool
    external_reference: str | None = None
    scores: tuple[tuple[int | None, float | None], ...] = ()
    error: str | None = None


class Complete(Struct, frozen=True):
    """The batch is done; responses stand in the order in which they came."""

    responses: tuple[Response, ...]
    usage: Usage | None = None


class BatchFailed(Struct, frozen=True):
    """The batch as a whole failed."""

    code: int | None
    message: str


class Envelope(Struct, frozen=True):
    """The API's own envelope: whether it succeeded, and its errors as pairs of code and message."""

    success: bool
    errors: tuple[tuple[int | None, str], ...] = ()


class _Fault(Struct):
    code: _Index | str | None = None
    message: str | None = None


class _Usage(Struct):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None


class _Score(Struct):
    id: _Index | None = None
    score: float | None = None


class _Ranked(Struct):
    response: list[_Score] | None = None
    usage: _Usage | None = None


class _Item(Struct):
    id: _Index | None = None
    index: _Index | None = None
    success: bool | None = None
    external_reference: str | None = None
    result: _Ranked | list[_Score] | None = None
    error: _Fault | str | list[_Fault | str] | None = None
    errors: list[_Fault | str] | None = None
    usage: _Usage | None = None


class _Result(Struct):
    status: str | None = None
    request_id: str | None = None
    model: str | None = None
    responses: list[_Item] | None = None
    results: list[_Item] | None = None
    usage: _Usage | None = None
    error: _Fault | str | list[_Fault | str] | None = None
    errors: list[_Fault | str] | None = None


class _Answer(Struct):
    success: bool
    result: _Result | None = None
    errors: list[_Fault | str] | None = None


class _Run(Struct):
    success: bool
    result: _Ranked | list[_Score] | None = None
    usage: _Usage | None = None


class _Envelope(Struct):
    success: bool
    errors: list[_Fault | str]


def encode_batch(requests: Sequence[Request], *, truncate_inputs: bool | None = None) -> bytes:
    """The body that submits `requests` as a batch; raises UnencodableText."""
    items = []
    for place, request in enumerate(requests):
        item = _request_fields(request, truncate_inputs)
        if request.external_reference is not None:
            item["external_reference"] = request.external_reference
        items.append((f"requests[{place}]", item))
    try:
        return msgspec.json.encode({"requests": [item for _, item in items]})
    except UnicodeEncodeError:
        raise _unencodable(items) from None


def encode_request(
    request: Request, *, truncate_inputs: bool | None = None, top_k: int | None = None
) -> bytes:
    """The body of a synchronous call for one request; raises UnencodableText."""
    item = _request_fields(request, truncate_inputs)
    if top_k is not None:
        item["top_k"] = top_k
    try:
        return msgspec.json.encode(item)
    except UnicodeEncodeError:
        raise _unencodable([("the request", item)]) from None


def encode_collect(request_id: str) -> bytes:
    """The body that asks how a submitted batch stands, or collects it."""
    return msgspec.json.encode({"request_id": request_id})


def decode_answer(body: bytes) -> Queued | Complete | BatchFailed:
    """What a 2xx answer to a submit or a collect says; raises MalformedAnswer.

    A non-empty array of answers is what tells completion. A status word that is not known means that the
    batch is not done.
    """
    answer = read(body, _Answer)
    if not answer.success:
        raise MalformedAnswer("success is not true", "$.success")
    result = answer.result
    if result is None:
        raise MalformedAnswer("no result", "$.result")
    if result.responses:
        return _complete(result, result.responses, by_index=False)
    if result.results:
        return _complete(result, result.results, by_index=True)
    if result.status and result.status.strip().lower() in _FAILED_WORDS:
        return _batch_failed(result, answer.errors or [])
    if result.status or (result.request_id and result.responses is None and result.results is None):
        return Queued(_name(result.request_id), _name(result.status) or "queued", _name(result.model))
    if result.responses is not None or result.results is not None:
        raise MalformedAnswer("an array of answers with no answer in it", "$.result")
    raise MalformedAnswer("neither answers nor a status nor a request_id", "$.result")


def decode_run(body: bytes) -> tuple[Response, Usage | None]:
    """The answer to a synchronous call, a 2xx body; raises MalformedAnswer."""
    answer = read(body, _Run)
    if not answer.success:
        raise MalformedAnswer("success is not true", "$.success")
    scores = _scores(answer.result)
    if scores is None:
        raise MalformedAnswer("no scores", "$.result.response")
    within = answer.result.usage if isinstance(answer.result, _Ranked) else None
    return Response(index=0, success=True, scores=scores), _usage(within or answer.usage)


def decode_envelope(body: bytes) -> Envelope | None:
    """The API's own envelope in `body`, or None when it is not one: never raises."""
    try:
        envelope = read(body, _Envelope)
    except MalformedAnswer:
        return None
    return Envelope(envelope.success, tuple(_fault(fault) for fault in envelope.errors))


def _request_fields(request: Request, truncate_inputs: bool | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "query": request.query,
        "contexts": [{"text": context.text} for context in request.contexts],
    }
    if truncate_inputs is not None:
        fields["truncate_inputs"] = truncate_inputs
    return fields


def _unencodable(items: list[tuple[str, dict[str, Any]]]) -> UnencodableText:
    texts = [
        (f"{where}.{part}", text)
        for where, item in items
        for part, text in [
            ("query", item["query"]),
            ("external_reference", item.get("external_reference", "")),
            *((f"contexts[{n}].text", context["text"]) for n, context in enumerate(item["contexts"])),
        ]
    ]
    where = next(where for where, text in texts if whole_text(text) != text)
    return UnencodableText(f"{where} holds half a character (a lone surrogate), which cannot be sent")


def _complete(result: _Result, items: list[_Item], *, by_index: bool) -> Complete:
    usages = [usage for item in items if (usage := _item_usage(item)) is not None]
    usage = _usage(result.usage)
    if usage is None and usages:
        usage = sum(usages[1:], start=usages[0])
    return Complete(tuple(_response(item, by_index) for item in items), usage)


def _response(item: _Item, by_index: bool) -> Response:
    first, second = (item.index, item.id) if by_index else (item.id, item.index)
    faults = _faults(item.error) + _faults(item.errors)
    scores = _scores(item.result)
    success = item.success if item.success is not None else scores is not None and not faults
    error = faults[0][1] if faults and not success else None
    return Response(
        index=first if first is not None else second,
        success=success,
        external_reference=None if item.external_reference is None else whole_text(item.external_reference),
        scores=scores or (),
        error=error,
    )


def _scores(result: _Ranked | list[_Score] | None) -> tuple[tuple[int | None, float | None], ...] | None:
    entries = result.response if isinstance(result, _Ranked) else result
    return None if entries is None else tuple((entry.id, entry.score) for entry in entries)


def _item_usage(item: _Item) -> Usage | None:
    within = item.result.usage if isinstance(item.result, _Ranked) else None
    return _usage(item.usage or within)


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return Usage(
        prompt, completion, prompt + completion if usage.total_tokens is None else usage.total_tokens
    )


def _batch_failed(result: _Result, outer: list[_Fault | str]) -> BatchFailed:
    faults = _faults(result.error) + _faults(result.errors) + _faults(outer)
    code, message = faults[0] if faults else (None, "")
    return BatchFailed(code, message or f"the service says only: {_name(result.status)}")


def _faults(faults: _Fault | str | list[_Fault | str] | None) -> list[tuple[int | None, str]]:
    if faults is None:
        return []
    return [_fault(fault) for fault in (faults if isinstance(faults, list) else [faults])]


def _fault(fault: _Fault | str) -> tuple[int | None, str]:
    if isinstance(fault, str):
        return None, bounded(whole_text(fault), LONGEST_MESSAGE)
    code = fault.code
    if isinstance(code, str):
        code = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else None
    return code, bounded(whole_text(fault.message or ""), LONGEST_MESSAGE)


def _name(text: str | None) -> str | None:
    """A short text of the service; an empty one is none."""
    if text is None or not text.strip():
        return None
    if len(text) > _LONGEST_NAME:
        raise MalformedAnswer("a name that is too long", "$.result")
    return whole_text(text)
