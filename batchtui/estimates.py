"""What a batch will take: bytes of its body, tokens, neurons and dollars, before it is sent."""

import msgspec

from batchtui.figures import count, size
from batchtui.model import Batch, Request
from batchtui.workers_ai.catalogue import FREE_NEURONS_PER_DAY, KNOWN, estimate
from batchtui.workers_ai.wire import UnencodableText, encode_batch

BODY_LIMIT_BYTES = 10_000_000
# XLM-RoBERTa's tokenizer takes about four bytes of Latin text a token; used until answers have taught better.
TOKENS_PER_BYTE = 0.25
_ENVELOPE_BYTES = len('{"requests":[]}')


class Estimate(msgspec.Struct, frozen=True):
    """Bytes of the body, tokens, and what they cost where the model's price is known."""

    body_bytes: int
    tokens: int
    neurons: float | None
    dollars: float | None


class BodySizes:
    """Sizes of encoded requests, each computed once: a change of one leaves the others known."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Request, int]] = {}

    def of(self, batch: Batch) -> int:
        """Bytes of the body that a batch makes; a text that can't be sent counts by its characters."""
        known: dict[int, tuple[Request, int]] = {}
        for request in batch.requests:
            held = self._known.get(id(request))
            # The request is held with its size, so that its id can't be another one's.
            known[id(request)] = held or (request, _encoded_size(request))
        self._known = known
        return _ENVELOPE_BYTES + sum(length + 1 for _, length in known.values())


def estimate_batch(batch: Batch, body_bytes: int, tokens_per_byte: float | None) -> Estimate:
    """Tokens by what finished jobs have taught (or a plain rule), and their cost."""
    tokens = round(body_bytes * (TOKENS_PER_BYTE if tokens_per_byte is None else tokens_per_byte))
    model = KNOWN.get(batch.model)
    cost = estimate(model, tokens) if model else None
    return Estimate(body_bytes, tokens, cost.neurons if cost else None, cost.dollars if cost else None)


def window_bytes(batch: Batch, tokens_per_byte: float | None) -> int | None:
    """About how many bytes of a text the batch's model takes in; None where it cuts, or is not known."""
    model = KNOWN.get(batch.model)
    if model is None or model.context_window is None or batch.truncate_inputs:
        return None
    return round(model.context_window / (tokens_per_byte or TOKENS_PER_BYTE))


def words_on(estimated: Estimate, *, billed: bool, tokens_today: int, model_name: str) -> str:
    """The estimate in a line; dollars and the free allocation only where the backend bills."""
    parts = [
        f"{size(estimated.body_bytes)} of {size(BODY_LIMIT_BYTES)}",
        f"≈ {count(estimated.tokens)} tokens",
    ]
    if billed and estimated.neurons is not None and estimated.dollars is not None:
        parts.append(f"≈ {estimated.neurons:.2f} neurons, ${estimated.dollars:.5f}")
        model = KNOWN.get(model_name)
        used = estimate(model, tokens_today) if model else None
        if used is not None:
            parts.append(f"today {used.neurons / FREE_NEURONS_PER_DAY:.1%} of the free ones used")
    return " · ".join(parts)


def _encoded_size(request: Request) -> int:
    try:
        return len(encode_batch((request,))) - _ENVELOPE_BYTES
    except UnencodableText:
        return sum(len(context.text) for context in request.contexts) + len(request.query)
