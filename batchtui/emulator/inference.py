"""The one route that does the work: submit, collect, and run at once."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from msgspec import UNSET, Raw
from starlette.requests import Request
from starlette.responses import Response

from batchtui.clock import Clock
from batchtui.emulator.answers import (
    batch_complete,
    batch_status,
    encode,
    envelope,
    rerank_result,
    run_result,
    usage,
)
from batchtui.emulator.directory import json_response
from batchtui.emulator.errors import INTERNAL, NO_MODEL, NO_QUEUE, AnswerError, bad_input, not_found
from batchtui.emulator.faults import Fault
from batchtui.emulator.frames import Outcome
from batchtui.emulator.guard import error_response, fault_of, read_body
from batchtui.emulator.models import MODELS, EmulatedModel
from batchtui.emulator.moods import Call, Moods
from batchtui.emulator.options import EmulatorOptions
from batchtui.emulator.pool import Pool
from batchtui.emulator.queue import Submission
from batchtui.emulator.runner import NO_ENVELOPE, Runner
from batchtui.emulator.scoring import ChunkSize, score_requests
from batchtui.emulator.validation import ScoringRequest, read_kind, read_request, read_requests, read_rerank

SCORER_HEADER = "batchtui-scorer"
# Bodies up to this many bytes are checked at once: a thread would cost more.
SMALL_BODY = 100_000
# What becomes of a larger body takes many times its room; so many are taken apart at a time.
LARGE_AT_ONCE = 4


class Inference:
    """Answers `POST …/ai/run/{model}`."""

    def __init__(
        self,
        options: EmulatorOptions,
        clock: Clock,
        moods: Moods,
        runner: Runner,
        pool: Pool,
        chunk_size: ChunkSize,
        label: Callable[[EmulatedModel], str],
    ) -> None:
        self._options = options
        self._clock = clock
        self._moods = moods
        self._runner = runner
        self._pool = pool
        self._chunk_size = chunk_size
        self._label = label
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def run(self, request: Request) -> Response:
        """The route itself."""
        account, name = request.path_params["account_id"], request.path_params["model"]
        body = await read_body(request, self._options.body_limit, self._options.body_seconds)
        model = MODELS.get(name)
        if model is None:
            raise AnswerError(NO_MODEL, model=name)
        queued = request.query_params.get("queueRequest", "").lower() == "true"
        try:
            async with self._large if len(body) > SMALL_BODY else nullcontext():
                if model.takes_batches:
                    return await self._batching(account, model, body, queued, fault_of(request))
                return await self._reranking(model, body, queued)
        except AnswerError as fault:
            return error_response(fault, **{SCORER_HEADER: self._label(model)})

    async def _batching(
        self, account: str, model: EmulatedModel, body: bytes, queued: bool, fault: Fault
    ) -> Response:
        kind = read_kind(body)
        if kind.request_id is not UNSET:
            return await self._collect(account, model, kind.request_id)
        if kind.requests is not UNSET:
            requests = await self._checked(kind.requests, len(body))
            if queued:
                return await self._submit(account, model, body, len(requests), fault)
            return await self._run_all(model, requests, fault)
        one = read_request(body)
        if queued:
            return await self._submit(account, model, body, 1, fault, failed=NO_ENVELOPE)
        return await self._run_one(model, one)

    async def _reranking(self, model: EmulatedModel, body: bytes, queued: bool) -> Response:
        if read_kind(body).request_id is not UNSET:
            raise not_found()
        if queued:
            raise AnswerError(NO_QUEUE)
        return await self._run_one(model, read_rerank(body))

    async def _checked(self, raws: Sequence[Raw], size: int) -> list[ScoringRequest]:
        if size <= SMALL_BODY:
            return list(read_requests(raws))
        return await asyncio.to_thread(lambda: list(read_requests(raws)))

    async def _submit(
        self,
        account: str,
        model: EmulatedModel,
        body: bytes,
        count: int,
        fault: Fault,
        failed: str | None = None,
    ) -> Response:
        self._moods.strike(Call.SUBMIT)
        plan = self._moods.plan(count, fault, failed)
        request_id = str(uuid.uuid4())
        if not fault.drop:
            due_at = self._clock.now() + plan.latency
            expires_at = due_at + self._options.expiry
            await self._runner.add(
                Submission(request_id, account, model.name, plan, body, due_at, expires_at)
            )
        return self._answer(model, batch_status("queued", request_id, model.name))

    async def _collect(self, account: str, model: EmulatedModel, request_id: str) -> Response:
        self._moods.strike(Call.COLLECT)
        found = await self._runner.find(request_id, account, model.name)
        if found is None:
            raise not_found()
        if found.started_at is None:
            return self._answer(model, batch_status("queued", request_id, model.name))
        if found.answer is None or self._clock.now() < found.started_at + found.plan.running:
            return self._answer(model, batch_status("running", request_id, model.name))
        return json_response(found.answer, {SCORER_HEADER: found.scorer})

    async def _run_all(
        self, model: EmulatedModel, requests: Sequence[ScoringRequest], fault: Fault
    ) -> Response:
        """A batch asked for without the queue: the same answer, at once."""
        self._moods.strike(Call.RUN)
        plan = self._moods.plan(len(requests), fault)
        outcomes = await score_requests(self._pool, model, requests, self._chunk_size)
        return self._answer(model, await asyncio.to_thread(batch_complete, requests, outcomes, plan))

    async def _run_one(self, model: EmulatedModel, request: ScoringRequest) -> Response:
        self._moods.strike(Call.RUN)
        outcomes = await score_requests(self._pool, model, [request], self._chunk_size, urgent=True)
        return self._answer(model, await asyncio.to_thread(_run_answer, model, request, outcomes[0]))

    def _answer(self, model: EmulatedModel, body: bytes) -> Response:
        return json_response(body, {SCORER_HEADER: self._label(model)})


def _run_answer(model: EmulatedModel, request: ScoringRequest, outcome: Outcome) -> bytes:
    if outcome.error is not None:
        raise AnswerError(INTERNAL, detail=outcome.error) if outcome.internal else bad_input(outcome.error)
    result = run_result(request, outcome) if model.takes_batches else rerank_result(request, outcome)
    return encode(envelope({**result, "usage": usage(outcome.tokens)}))
