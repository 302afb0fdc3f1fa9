"""Bodies made into requests, or into the error of the API that names the property at fault."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from batchtui.emulator.errors import MISSING_BODY, AnswerError, bad_input

MOST_TEXTS = 100

Body = TypeVar("Body")
NonEmpty = Annotated[str, Meta(min_length=1)]


class ContextBody(msgspec.Struct, frozen=True, gc=False):
    """One context as sent."""

    text: NonEmpty


class RankBody(msgspec.Struct, frozen=True):
    """One request of @cf/baai/bge-m3 in any of its forms; which one it is, `read_request` decides."""

    query: NonEmpty | UnsetType = UNSET
    contexts: list[ContextBody] | UnsetType = UNSET
    text: NonEmpty | Annotated[list[NonEmpty], Meta(min_length=1, max_length=MOST_TEXTS)] | UnsetType = UNSET
    truncate_inputs: bool | UnsetType = UNSET
    external_reference: str | UnsetType | None = UNSET


class RerankBody(msgspec.Struct, frozen=True):
    """One request of @cf/baai/bge-reranker-base."""

    query: NonEmpty
    contexts: list[ContextBody]
    top_k: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET


class AnyBody(msgspec.Struct, frozen=True):
    """The properties that tell the three kinds of body from each other."""

    requests: Annotated[list[msgspec.Raw], Meta(min_length=1)] | UnsetType = UNSET
    request_id: NonEmpty | UnsetType = UNSET


class ScoringRequest(msgspec.Struct, frozen=True, gc=False):
    """One request as the scorers take it: no `query` asks for embeddings of the texts.

    `wraps_data` says that the embeddings belong under `data` (asked for with `text`), not under `response`.
    """

    texts: tuple[str, ...]
    query: str | None = None
    external_reference: str | None = None
    truncate: bool = False
    wraps_data: bool = False
    top_k: int | None = None


_any_body = msgspec.json.Decoder(AnyBody)
_rank_body = msgspec.json.Decoder(RankBody)
_rerank_body = msgspec.json.Decoder(RerankBody)


def read_kind(body: bytes) -> AnyBody:
    """Whether a body is a batch, the collecting of one, or (neither property set) one request."""
    if not body.strip():
        raise AnswerError(MISSING_BODY, detail="the body is empty")
    kind = _decode(_any_body, body, "")
    if kind.requests is not UNSET and kind.request_id is not UNSET:
        raise bad_input("oneOf at '/' not met, 2 matches: 'requests' and 'request_id' exclude each other")
    return kind


def read_requests(raws: Sequence[msgspec.Raw]) -> Iterator[ScoringRequest]:
    """The requests of a batch, checked one by one, so that a long batch can be taken in steps."""
    for place, raw in enumerate(raws):
        yield read_request(bytes(raw), f"/requests/{place}")


def read_request(body: bytes, where: str = "") -> ScoringRequest:
    """One request of @cf/baai/bge-m3; `where` is the JSON pointer of the body."""
    given = _decode(_rank_body, body, where)
    if given.contexts is UNSET and given.text is UNSET:
        raise bad_input(
            f"oneOf at '{where or '/'}' not met, 0 matches: required properties at '{where or '/'}' are "
            "'contexts', or 'text'"
        )
    if given.contexts is not UNSET and given.text is not UNSET:
        raise bad_input(
            f"oneOf at '{where or '/'}' not met, 2 matches: 'contexts' and 'text' exclude each other"
        )
    truncate = given.truncate_inputs is True
    reference = given.external_reference if isinstance(given.external_reference, str) else None
    if given.contexts is not UNSET:
        query = None if given.query is UNSET else given.query
        texts = tuple(context.text for context in given.contexts)
        return ScoringRequest(texts, query, reference, truncate)
    texts = (given.text,) if isinstance(given.text, str) else tuple(given.text or ())
    return ScoringRequest(texts, None, reference, truncate, wraps_data=True)


def read_rerank(body: bytes) -> ScoringRequest:
    """The body of @cf/baai/bge-reranker-base; its weights cut long texts by themselves."""
    given = _decode(_rerank_body, body, "")
    top_k = given.top_k if isinstance(given.top_k, int) else None
    texts = tuple(context.text for context in given.contexts)
    return ScoringRequest(texts, given.query, truncate=True, top_k=top_k)


def _decode(decoder: msgspec.json.Decoder[Body], body: bytes, where: str) -> Body:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise bad_input(_in_their_words(str(error), where)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_input(f"the body at '{where or '/'}' is not JSON: {error}") from None
    except RecursionError:
        raise bad_input(f"the body at '{where or '/'}' is nested too deeply") from None


_MISSING = re.compile(r"Object missing required field `(.+?)`")
_WRONG_TYPE = re.compile(r"Expected `(.+?)`, got `(.+?)`$")
_LENGTH = re.compile(r"Expected `.+?` of length (>=|<=) (\d+)")
_LEAST = re.compile(r"Expected `int` >= (\d+)")
_TYPE_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _in_their_words(message: str, where: str) -> str:
    """A fault of type or shape, said as Workers AI says it, with a JSON pointer to the property."""
    words, _, path = message.partition(" - at `$")
    pointer = where + re.sub(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", r"/\1\2", path.rstrip("`"))
    pointer = pointer or "/"
    if missing := _MISSING.match(words):
        return f"required properties at '{pointer}' are '{missing[1]}'"
    if length := _LENGTH.match(words):
        return f"Length of '{pointer}' must be {length[1]} {length[2]} not met"
    if least := _LEAST.match(words):
        return f"Minimum of '{pointer}' must be >= {least[1]} not met"
    if wrong := _WRONG_TYPE.match(words):
        expected = " | ".join(_TYPE_NAMES.get(kind, kind) for kind in wrong[1].split(" | "))
        return f"Type mismatch of '{pointer}', '{expected}' not in '{_TYPE_NAMES.get(wrong[2], wrong[2])}'"
    return f"'{pointer}': {words}"
