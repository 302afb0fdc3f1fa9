"""Decoded JSON values become requests; what does not fit is a FaultError with the path to it."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from batchtui.exchange.source import FaultError, LimitPassedError, Limits
from batchtui.model import DEFAULT_MODEL, HIGHEST_GRADE, Batch, Context, Request

REQUEST_KEYS = frozenset({"query", "contexts", "external_reference", "truncate_inputs", "top_k", "model"})
BODY_KEYS = frozenset({"requests", "truncate_inputs", "top_k", "model"})
CONTEXT_KEYS = frozenset({"text", "id", "relevance"})
MOST_TOP_K = 2**31 - 1
SHOWN_CHARACTERS = 40
SHOWN_NOTES = 5
REQUEST_FORM = 'write {"query": "…", "contexts": ["…"]}'


def shown(value: object) -> str:
    """A value short enough to stand in an error, with everything unprintable escaped."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value[: SHOWN_CHARACTERS + 1]) if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


class RequestCollector:
    """Gathers the requests of one input, and the settings that stand beside them.

    Values that are contexts alone (strings, or objects with a `text`) are gathered without a query.
    """

    def __init__(self, limits: Limits) -> None:
        self.requests: list[Request] = []
        self.loose_contexts: list[Context] = []
        self.unknown: Counter[str] = Counter()
        self.settings: dict[str, Any] = {}
        self.differing: set[str] = set()
        self.context_count = 0
        self._body_count = 0
        self._limits = limits

    def add(self, value: object, *, alone: bool = False) -> None:
        """Take one decoded value: a body, a request or a context; FaultError where it is none of them.

        Where it is `alone` in its input, contexts without a query are taken too.
        """
        if isinstance(value, str) or (isinstance(value, dict) and _is_context(value)):
            self._refuse_mixture(bool(self.requests))
            self.loose_contexts += self._contexts([value])
            return
        if not isinstance(value, dict):
            raise FaultError(f"{shown(value)} is not a request", REQUEST_FORM)
        if "requests" in value:
            self._add_body(value)
        elif "request_id" in value and "query" not in value:
            raise FaultError(
                "this asks for the result of a batch and holds no request", "open what was submitted"
            )
        elif alone and "query" not in value and isinstance(value.get("contexts"), list):
            self.loose_contexts += self._contexts(value["contexts"], ("contexts",))
        else:
            self.add_request(value)

    def add_settings(self, value: dict[str, Any], path: tuple[str | int, ...] = ()) -> None:
        """Take the model and the settings that stand in a body or a request."""
        for key in ("model", "truncate_inputs", "top_k"):
            setting = value.get(key)
            if setting is None:
                continue
            _check_setting(key, setting, (*path, key))
            if self.settings.setdefault(key, setting) != setting:
                if key == "model":
                    raise FaultError(
                        f"the model here is {shown(setting)}, and before it is {shown(self.settings[key])}",
                        "a batch has one model: make it two files",
                        (*path, key),
                    )
                self.differing.add(key)

    def add_request(self, value: object, path: tuple[str | int, ...] = ()) -> None:
        """Take one request."""
        if not isinstance(value, dict):
            raise FaultError(f"{shown(value)} is not a request", REQUEST_FORM, path)
        self._refuse_mixture(bool(self.loose_contexts), path)
        if "contexts" not in value:
            raise FaultError("the request has no contexts", _remedy_without_contexts(value), path)
        contexts = value["contexts"]
        if not isinstance(contexts, list):
            raise FaultError("the contexts are no list", 'write "contexts": ["…", "…"]', (*path, "contexts"))
        query = value.get("query")
        if not isinstance(query, str):
            thing = "the request has no query" if query is None else f"the query {shown(query)} is no text"
            raise FaultError(thing, 'write "query": "…"', (*path, "query"))
        if not query:
            raise FaultError("the query is empty", "write one, or remove the request", (*path, "query"))
        if not contexts:
            raise FaultError(
                "the request has no contexts", "add one, or remove the request", (*path, "contexts")
            )
        if not value.keys() <= REQUEST_KEYS:
            self._note_unknown(value, REQUEST_KEYS, path)
        self.add_settings(value, path)
        reference = _identifier(value.get("external_reference"), (*path, "external_reference"))
        self.requests.append(Request(query, tuple(self._contexts(contexts, (*path, "contexts"))), reference))

    def add_body_keys(self, body: dict[str, Any]) -> None:
        """Take what stands beside the requests in a body."""
        self._body_count += 1
        if self._body_count > self._limits.contexts:
            raise LimitPassedError(
                f"there are more than {self._limits.contexts:,} bodies of requests", "make it several files"
            )
        self._note_unknown(body, BODY_KEYS)
        self.add_settings(body)

    def batch(self) -> tuple[Batch, bool]:
        """Everything gathered as one batch, and whether its only request still needs a query."""
        needs_query = bool(self.loose_contexts)
        requests = (Request("", tuple(self.loose_contexts)),) if needs_query else tuple(self.requests)
        model = self.settings.get("model", DEFAULT_MODEL)
        truncate = None if "truncate_inputs" in self.differing else self.settings.get("truncate_inputs")
        top_k = None if "top_k" in self.differing else self.settings.get("top_k")
        return Batch(requests, model, truncate, top_k), needs_query

    def notes(self) -> tuple[str, ...]:
        """What a person should know of what was left out."""
        ignored = tuple(
            f"{shown(key)} is not known and was left out" + (f" ({count} times)" if count > 1 else "")
            for key, count in islice(self.unknown.items(), SHOWN_NOTES)
        )
        if len(self.unknown) > SHOWN_NOTES:
            ignored += (f"{len(self.unknown) - SHOWN_NOTES:,} more keys are not known and were left out",)
        differing = tuple(
            f"{key} differs between the requests and was left out: a batch has one"
            for key in sorted(self.differing)
        )
        return ignored + differing

    def _add_body(self, body: dict[str, Any]) -> None:
        requests = body["requests"]
        if not isinstance(requests, list):
            raise FaultError("the requests are no list", 'write "requests": [{…}, {…}]', ("requests",))
        self.add_body_keys(body)
        for index, request in enumerate(requests):
            self.add_request(request, ("requests", index))

    def _contexts(self, values: Sequence[object], path: tuple[str | int, ...] = ()) -> list[Context]:
        self.context_count += len(values)
        if self.context_count > self._limits.contexts:
            raise LimitPassedError(
                f"there are more than {self._limits.contexts:,} contexts", "make it several files", path
            )
        contexts = []
        for index, value in enumerate(values):
            if type(value) is str:
                if not value:
                    raise _empty_context(index, (*path, index))
                contexts.append(Context(value))
            else:
                contexts.append(self._context(value, index, (*path, index)))
        return contexts

    def _context(self, value: object, index: int, path: tuple[str | int, ...]) -> Context:
        if not isinstance(value, dict):
            raise FaultError(
                f"context {index} is neither a text nor an object", 'write "…" or {"text": "…"}', path
            )
        text = value.get("text")
        if text is None:
            raise FaultError(f"context {index} has no text", 'write {"text": "…"}', path)
        if not isinstance(text, str):
            raise FaultError(
                f"the text of context {index} is {shown(text)}, no text", "quote it", (*path, "text")
            )
        if not text:
            raise _empty_context(index, (*path, "text"))
        if len(value) == 1:
            return Context(text)
        if not value.keys() <= CONTEXT_KEYS:
            self._note_unknown(value, CONTEXT_KEYS, path)
        identifier = _identifier(value.get("id"), (*path, "id"))
        return Context(text, identifier, _relevance(value.get("relevance"), (*path, "relevance")))

    def _note_unknown(
        self, value: dict[str, Any], known: frozenset[str], path: tuple[str | int, ...] = ()
    ) -> None:
        for key, member in value.items():
            if key not in known:
                if isinstance(member, dict | list) and _deeper_than(
                    member, self._limits.depth - len(path) - 1
                ):
                    raise FaultError(
                        f"the JSON is nested deeper than {self._limits.depth} levels",
                        "remove what is no request",
                        (*path, key),
                    )
                self.unknown[key] += 1

    @staticmethod
    def _refuse_mixture(mixed: bool, path: tuple[str | int, ...] = ()) -> None:
        if mixed:
            raise FaultError("contexts without a query stand among requests", REQUEST_FORM, path)


def grade_from_text(text: str) -> int | None:
    """A relevance as it is written in a table; FaultError where it is not 0 to 3, None where it is blank."""
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        raise _bad_relevance(text, ()) from None
    return _relevance(number, ())


def _is_context(value: dict[str, Any]) -> bool:
    return "text" in value and value.keys().isdisjoint({"query", "contexts", "requests"})


def _empty_context(index: int, path: tuple[str | int, ...]) -> FaultError:
    return FaultError(f"context {index} (counted from 0) is empty", "write its text, or remove it", path)


def _remedy_without_contexts(value: dict[str, Any]) -> str:
    if "ranking" in value:
        return "this is a result: export the job as JSONL to read it again"
    return REQUEST_FORM


def _identifier(value: object, path: tuple[str | int, ...]) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise FaultError(f"{path[-1]} is {shown(value)}, neither a text nor a whole number", "quote it", path)


def _relevance(value: object, path: tuple[str | int, ...]) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(HIGHEST_GRADE + 1):
        raise _bad_relevance(value, path)
    return int(value)


def _bad_relevance(value: object, path: tuple[str | int, ...]) -> FaultError:
    return FaultError(f"relevance is {shown(value)}", f"give a whole number from 0 to {HIGHEST_GRADE}", path)


def _check_setting(key: str, value: object, path: tuple[str | int, ...]) -> None:
    if key == "model" and not (isinstance(value, str) and value):
        raise FaultError(f"model is {shown(value)}", "give a model's name, such as @cf/baai/bge-m3", path)
    if key == "truncate_inputs" and not isinstance(value, bool):
        raise FaultError(f"truncate_inputs is {shown(value)}", "give true or false", path)
    if key == "top_k" and (
        isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TOP_K
    ):
        raise FaultError(f"top_k is {shown(value)}", f"give a whole number from 1 to {MOST_TOP_K:,}", path)


def _deeper_than(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [
            member
            for outer in layer
            for member in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
            if isinstance(member, dict | list)
        ]
        if not layer:
            return False
    return bool(layer)
