"""One call to the service for one part: send it, or ask for it, and say what came of it."""

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from batchtui.clock import Clock
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.errors import JobsError, StoreError
from batchtui.jobs.outcomes import Ended, Finished, Judge, Outcome, Waiting, finished
from batchtui.jobs.part_store import PartStore
from batchtui.jobs.parts import Part, PartState, body_of
from batchtui.model import Batch, JobError
from batchtui.workers_ai.errors import WorkersAIError
from batchtui.workers_ai.matching import match, match_response
from batchtui.workers_ai.wire import BatchFailed, Complete, Queued

if TYPE_CHECKING:
    from batchtui.workers_ai.client import WorkersAI

log = logging.getLogger("batchtui.jobs")

Result = TypeVar("Result")

HTTP_MODULE = "batchtui.workers_ai.transport"

_STORE_RETRY_FIRST = 0.5
_STORE_RETRY_LONGEST = 30.0


class Clients(Protocol):
    """Where jobs get the client of their backend."""

    def client(self, backend: str, account_id: str | None) -> "WorkersAI":
        """The client for a backend and an account; raises CredentialsMissing."""
        ...

    def account_id(self, backend: str) -> str | None:
        """The account that new jobs of this backend belong to."""
        ...


class Worker(Protocol):
    """Runs blocking work beside the event loop."""

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises."""
        ...


class Calls:
    """Sends parts and asks for them; each ends with its outcome in the store, whatever goes wrong."""

    def __init__(
        self,
        clients: Clients,
        claims: ClaimStore,
        parts: PartStore,
        judge: Judge,
        clock: Clock,
        worker: Worker,
    ) -> None:
        self._clients = clients
        self._claims = claims
        self._parts = parts
        self._judge = judge
        self._clock = clock
        self._worker = worker

    async def handle(self, part: Part) -> Outcome | None:
        """Make the call that the claimed part waits for; None where it was not made after all."""
        if part.lane.sends:
            return await self._send(part)
        outcome = await self._ask(part)
        await self._keep(part, outcome)
        return outcome

    async def _send(self, part: Part) -> Outcome | None:
        try:
            batch, body = await self._worker.run(lambda: self._prepare(part))
            client = self._clients.client(part.backend, part.account_id)
            # Before the part is marked as being sent: what is killed here was certainly not taken.
            client.open()
        except StoreError:
            raise
        except Exception as error:
            log.warning("part %s of job %s can't be sent yet: %s", part.part, part.job_id, error)
            outcome = self._judge.not_begun(part, error, self._clock.now())
            await self._keep(part, outcome)
            return outcome
        marked = await self._worker.run(lambda: self._claims.mark_in_flight(part))
        if marked is None:
            return None
        sent = await self._sent(client, marked, batch, body)
        await self._keep(marked, sent)
        return sent

    def _prepare(self, part: Part) -> tuple[Batch, bytes]:
        # Loaded here, and not between the mark and the call: a kill in between leaves the part unconfirmed.
        importlib.import_module(HTTP_MODULE)
        batch = self._parts.batch_of(part)
        return batch, body_of(batch, batch.requests, takes_batches=part.takes_batches)

    async def _sent(self, client: "WorkersAI", part: Part, batch: Batch, body: bytes) -> Outcome:
        try:
            if not part.takes_batches:
                ran = await client.run(part.model, body)
                result = match_response(batch.requests[0], ran.response, top_k=batch.top_k)
                return finished((result,), (), ran.usage, ran.raw, ran.scorer)
            submitted = await client.submit(part.model, body)
        except Exception as error:
            self._log("sending", part, error)
            return self._judge.send_failed(part, error, self._clock.now())
        waiting = self._judge.waiting(part, submitted.status, self._clock.now())
        return Waiting(waiting.state, waiting.next_at, submitted.request_id, submitted.raw)

    async def _ask(self, part: Part) -> Outcome:
        try:
            client = self._clients.client(part.backend, part.account_id)
            if part.request_id is None:
                raise ValueError("a queued part has no request_id")
            collected = await client.collect(part.model, part.request_id)
            match collected.answer:
                case Queued(status=status):
                    return self._judge.waiting(part, status, self._clock.now())
                case BatchFailed(code=code, message=message):
                    error = JobError(code, message, "Read the message, mend the batch, and submit it again.")
                    return Ended(PartState.FAILED, error, collected.raw)
                case Complete() as complete:
                    return await self._worker.run(
                        lambda: self._finished(part, complete, collected.raw, collected.scorer)
                    )
        except Exception as error:
            self._log("asking for", part, error)
            return self._judge.ask_failed(part, error, self._clock.now())

    def _finished(self, part: Part, complete: Complete, raw: bytes, scorer: str | None) -> Finished:
        results, problems = match(self._parts.batch_of(part).requests, complete)
        return finished(results, problems, complete.usage, raw, scorer)

    async def _keep(self, part: Part, outcome: Outcome) -> None:
        """Write the outcome, however long the disk is full: it may be all that is known of a batch."""
        try:
            await self._record(part, outcome)
        except Exception as error:
            log.exception(
                "part %s of job %s: %s can't be kept", part.part, part.job_id, type(outcome).__name__
            )
            await self._record(part, self._judge.unforeseen(part, error, self._clock.now()))

    async def _record(self, part: Part, outcome: Outcome) -> None:
        wait = _STORE_RETRY_FIRST
        while True:
            try:
                kept = await self._worker.run(lambda: self._parts.record(part, outcome))
            except StoreError as error:
                known = outcome.request_id if isinstance(outcome, Waiting) else None
                log.error(
                    "part %s of job %s (request_id %s) can't be written: %s",
                    part.part,
                    part.job_id,
                    known,
                    error,
                )
                await self._clock.sleep(wait)
                wait = min(wait * 2, _STORE_RETRY_LONGEST)
                continue
            if not kept:
                log.info("part %s of job %s has moved on", part.part, part.job_id)
            return

    def _log(self, doing: str, part: Part, error: Exception) -> None:
        known = isinstance(error, (WorkersAIError, JobsError))
        log.log(
            logging.INFO if known else logging.ERROR,
            "%s part %s of job %s: %s",
            doing,
            part.part,
            part.job_id,
            error,
            exc_info=None if known else error,
        )
