"""A job's parts, each one HTTP submission: how a batch is split, and what the parts make of the job."""

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum

import msgspec

from batchtui.jobs.errors import InvalidBatch, RequestTooLarge
from batchtui.model import Batch, JobState, Request
from batchtui.workers_ai import catalogue, wire

LOCAL = "local"


class PartState(StrEnum):
    """Where a part stands; `in_flight` means that its request may be at the service, unanswered."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "expired"


ENDED = frozenset({PartState.DONE, PartState.FAILED, PartState.EXPIRED})
UNSENT = frozenset({PartState.PENDING, PartState.IN_FLIGHT})
ASKED = frozenset({PartState.QUEUED, PartState.RUNNING})


class Lane(IntEnum):
    """Which queue a part waits in: local jobs are not held up by remote ones, nor sends by polls."""

    SEND = 0
    ASK = 1
    SEND_LOCAL = 2
    ASK_LOCAL = 3

    @property
    def sends(self) -> bool:
        return self in (Lane.SEND, Lane.SEND_LOCAL)

    @property
    def local(self) -> bool:
        return self in (Lane.SEND_LOCAL, Lane.ASK_LOCAL)


def lane_of(backend: str, *, sends: bool) -> Lane:
    """The lane of a part of this backend that is to be sent, or asked for."""
    if backend == LOCAL:
        return Lane.SEND_LOCAL if sends else Lane.ASK_LOCAL
    return Lane.SEND if sends else Lane.ASK


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One claimed part with what is needed to send it or to ask for it. Times are epoch seconds."""

    job_id: int
    part: int
    state: PartState
    backend: str
    account_id: str | None
    model: str
    takes_batches: bool
    lane: Lane
    first_request: int
    request_count: int
    attempts: int
    failures: int
    request_id: str | None
    submitted_at: float | None


class PlannedPart(msgspec.Struct, frozen=True):
    """Which requests of a batch go out together, and how many bytes their body has."""

    first_request: int
    request_count: int
    body_bytes: int


def takes_batches(model: str) -> bool:
    """Whether the model is sent batches; one that is not known is tried with them."""
    known = catalogue.KNOWN.get(model)
    return known is None or known.takes_batches


def check_batch(batch: Batch) -> None:
    """Raise InvalidBatch, naming the place, where the service would refuse the batch or it can't be sent."""
    if not batch.model.strip():
        raise InvalidBatch("The batch has no model", "Choose one.")
    if not batch.requests:
        raise InvalidBatch("The batch has no requests", "Give it a query and at least one context.")
    for index, request in enumerate(batch.requests):
        _check_request(request, index)


def _check_request(request: Request, index: int) -> None:
    if not request.query:
        raise InvalidBatch("the query is empty", "Write what is searched for.", index)
    if not request.contexts:
        raise InvalidBatch("there are no contexts", "Add at least one.", index)
    if not sendable(request.query):
        raise InvalidBatch("the query holds half a character (a lone surrogate)", "Remove it.", index)
    if request.external_reference is not None and not sendable(request.external_reference):
        raise InvalidBatch(
            "the external reference holds half a character (a lone surrogate)", "Remove it.", index
        )
    for place, context in enumerate(request.contexts):
        if not context.text:
            raise InvalidBatch("the text is empty", "Write one, or remove the context.", index, place)
        if not sendable(context.text) or not sendable(context.id or ""):
            raise InvalidBatch(
                "the text holds half a character (a lone surrogate)", "Remove it.", index, place
            )


def sendable(text: str) -> bool:
    """Whether the text can be written as UTF-8, as every body must be."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def body_of(batch: Batch, requests: Sequence[Request], *, takes_batches: bool) -> bytes:
    """The body that carries these requests of the batch: a batch, or one request to a synchronous model."""
    if takes_batches:
        return wire.encode_batch(requests, truncate_inputs=batch.truncate_inputs)
    return wire.encode_request(requests[0], truncate_inputs=batch.truncate_inputs, top_k=batch.top_k)


def plan_parts(batch: Batch, limit: int, *, takes_batches: bool) -> list[PlannedPart]:
    """Split the batch into bodies of at most `limit` bytes, in order; RequestTooLarge where that fails."""
    empty = len(wire.encode_batch([])) if takes_batches else 0
    sizes = [len(body_of(batch, [request], takes_batches=takes_batches)) for request in batch.requests]
    for index, size in enumerate(sizes):
        if size > limit:
            raise RequestTooLarge(index, size, limit)
    if not takes_batches:
        return [PlannedPart(index, 1, size) for index, size in enumerate(sizes)]
    parts: list[PlannedPart] = []
    first, total = 0, empty
    for index, size in enumerate(sizes):
        more = size - empty + (1 if index > first else 0)
        if total + more > limit:
            parts.append(PlannedPart(first, index - first, total))
            first, total = index, size
        else:
            total += more
    parts.append(PlannedPart(first, len(sizes) - first, total))
    return parts


def derive_state(
    counts: Mapping[PartState, int], *, stopped: bool, takes_batches: bool, all_failed: bool
) -> JobState:
    """The state of a job from how many of its parts are in which state."""
    total = sum(counts.values())
    unsent = sum(counts.get(state, 0) for state in UNSENT)
    asked = sum(counts.get(state, 0) for state in ASKED)
    if stopped and (unsent or asked):
        return JobState.STOPPED
    if unsent and (takes_batches or unsent == total):
        return JobState.SENDING
    if counts.get(PartState.UNCONFIRMED) and not unsent:
        return JobState.UNCONFIRMED
    if unsent or asked:
        return JobState.QUEUED if counts.get(PartState.QUEUED) == total else JobState.RUNNING
    if counts.get(PartState.DONE) and not all_failed:
        return JobState.DONE
    return JobState.EXPIRED if counts.get(PartState.EXPIRED) == total else JobState.FAILED
