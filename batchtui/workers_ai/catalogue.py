"""Models that rerank: their limits and prices, and how to bring them up to date.

Source: Cloudflare's Workers AI model pages and pricing page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct

from batchtui.workers_ai.strict_json import MalformedAnswer, read, whole_text

DOLLARS_PER_THOUSAND_NEURONS = 0.011
FREE_NEURONS_PER_DAY = 10_000


@dataclass(frozen=True)
class ModelInfo:
    """A model: its context window in tokens, its prices per million input tokens, and how it is called."""

    name: str
    description: str = ""
    task: str = ""
    reranks: bool = False
    takes_batches: bool = False
    synchronous: bool = True
    context_window: int | None = None
    neurons_per_million: float | None = None
    dollars_per_million: float | None = None


@dataclass(frozen=True)
class Cost:
    """What a number of input tokens costs, the free allocation not taken off."""

    neurons: float
    dollars: float


KNOWN: Mapping[str, ModelInfo] = {
    model.name: model
    for model in (
        ModelInfo(
            name="@cf/baai/bge-m3",
            description="Multilingual embeddings and scores of contexts for a query; takes batches",
            task="Text Embeddings",
            reranks=True,
            takes_batches=True,
            context_window=60_000,
            neurons_per_million=1075.0,
            dollars_per_million=0.0118,
        ),
        ModelInfo(
            name="@cf/baai/bge-reranker-base",
            description="Cross-encoder that scores contexts for a query, one request at a time",
            task="Text Classification",
            reranks=True,
            context_window=512,
            neurons_per_million=283.0,
            dollars_per_million=0.00311,
        ),
    )
}


class _Task(Struct):
    name: str = ""


class _Property(Struct):
    property_id: str = ""
    value: Any = None


class _Entry(Struct):
    name: str
    description: str | None = None
    task: _Task | None = None
    properties: list[_Property] | None = None
    schema: Any = None


class _Search(Struct):
    success: bool
    result: list[_Entry]


def estimate(model: ModelInfo, input_tokens: int) -> Cost | None:
    """What `input_tokens` cost with `model`; None where its price is not known."""
    if model.neurons_per_million is None:
        if model.dollars_per_million is None:
            return None
        dollars = model.dollars_per_million * input_tokens / 1_000_000
        return Cost(dollars / DOLLARS_PER_THOUSAND_NEURONS * 1000, dollars)
    neurons = model.neurons_per_million * input_tokens / 1_000_000
    return Cost(neurons, neurons / 1000 * DOLLARS_PER_THOUSAND_NEURONS)


def from_search(body: bytes) -> tuple[ModelInfo, ...]:
    """The models in the answer of the API's model search, with what is known of them beside it.

    What the answer says of limits and dollars wins; whether a model reranks is only known from `KNOWN`.
    Raises MalformedAnswer.
    """
    answer = read(body, _Search)
    if not answer.success:
        raise MalformedAnswer("success is not true", "$.success")
    return tuple(_model(entry) for entry in answer.result)


def _model(entry: _Entry) -> ModelInfo:
    name = whole_text(entry.name)
    known = KNOWN.get(name, ModelInfo(name))
    values = {item.property_id: item.value for item in entry.properties or []}
    window = _positive_int(values.get("context_window"))
    dollars = _input_price(values.get("price"))
    return replace(
        known,
        description=whole_text(entry.description or "") or known.description,
        task=whole_text(entry.task.name if entry.task else "") or known.task,
        takes_batches=known.takes_batches
        or _is_true(values.get("async_queue"))
        or _has_requests(entry.schema),
        context_window=window or known.context_window,
        dollars_per_million=known.dollars_per_million if dollars is None else dollars,
        # Neurons follow the dollars; those that are known go with the dollars that are known.
        neurons_per_million=known.neurons_per_million
        if dollars in (None, known.dollars_per_million)
        else None,
    )


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _positive_int(value: Any) -> int | None:
    text = str(value) if isinstance(value, int | str) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return number or None


def _input_price(value: Any) -> float | None:
    """Dollars per million input tokens, from `[{"unit": "per M input tokens", "price": 0.0118}]`."""
    for price in value if isinstance(value, list) else []:
        if not isinstance(price, dict) or "input tokens" not in str(price.get("unit", "")):
            continue
        amount = price.get("price")
        if isinstance(amount, int | float) and not isinstance(amount, bool) and 0 <= amount < 1e6:
            return float(amount)
    return None


def _has_requests(schema: Any) -> bool:
    """Whether a JSON schema has a property `requests` anywhere."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            properties = part.get("properties")
            if isinstance(properties, dict) and "requests" in properties:
                return True
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False
