"""What came of one call for one part, as plain data, and what an error of the client means for it."""

import random
from dataclasses import dataclass

import msgspec

from batchtui.clock import utc_midnight_after
from batchtui.jobs.errors import CredentialsMissing
from batchtui.jobs.parts import Part, PartState
from batchtui.jobs.schedule import (
    FollowPolicy,
    quota_is_back_at,
    wait_after_failure,
    wait_before_asking,
)
from batchtui.model import JobError, RequestResult, Usage
from batchtui.workers_ai.errors import ApiError, ErrorKind, NotSent, WorkersAIError

PROBLEMS_TOLD = 3


class Waiting(msgspec.Struct, frozen=True):
    """The service has the part, queued or running: ask again at the epoch second `next_at`."""

    state: PartState
    next_at: float
    request_id: str | None = None
    raw: bytes | None = None


class Finished(msgspec.Struct, frozen=True):
    """The part's results, one for each of its requests in order."""

    results: tuple[RequestResult, ...]
    usage: Usage | None
    raw: bytes
    scorer: str | None
    error: JobError | None
    problem: JobError | None


class Ended(msgspec.Struct, frozen=True):
    """The part ended without an answer, as failed or expired, or is unconfirmed: the person decides."""

    state: PartState
    error: JobError
    raw: bytes | None = None


class Again(msgspec.Struct, frozen=True):
    """The call brought nothing: the part is tried again at the epoch second `next_at`.

    `pauses_backend` where the service asked all calls to wait until then.
    """

    next_at: float
    problem: JobError
    raw: bytes | None = None
    pauses_backend: bool = False


Outcome = Waiting | Finished | Ended | Again


@dataclass(frozen=True)
class Judge:
    """Turns what the client returned or raised into an outcome, by the policy."""

    policy: FollowPolicy
    chance: random.Random

    def waiting(self, part: Part, status: str, now: float) -> Waiting:
        """The outcome of an answer that the part is `queued` or `running`."""
        age = now - (now if part.submitted_at is None else part.submitted_at)
        wait = wait_before_asking(age, self._waits(part), self.chance)
        running = status == "running" or (part.state is PartState.RUNNING and status != "queued")
        return Waiting(PartState.RUNNING if running else PartState.QUEUED, now + wait)

    def send_failed(self, part: Part, error: Exception, now: float) -> Outcome:
        """The outcome of a send that raised: only what was certainly not taken is tried again by itself."""
        told = told_of(error)
        raw = error.raw if isinstance(error, WorkersAIError) else None
        if isinstance(error, CredentialsMissing):
            # The first try says so at once; a job that was under way waits for the credentials to be back.
            if part.attempts:
                return Again(self._next_try(part, None, now), told)
            return Ended(PartState.FAILED, told)
        if isinstance(error, ApiError) and error.kind is ErrorKind.QUOTA:
            return Again(quota_is_back_at(utc_midnight_after(now), self.chance), told, raw)
        if isinstance(error, NotSent) or (isinstance(error, ApiError) and error.may_retry):
            return Again(self._next_try(part, error.retry_after, now), told, raw, _pauses(error))
        if isinstance(error, ApiError):
            return Ended(PartState.FAILED, told, raw)
        if self.policy.resubmit == "always":
            return Again(self._next_try(part, None, now), told, raw)
        return Ended(PartState.UNCONFIRMED, told, raw)

    def ask_failed(self, part: Part, error: Exception, now: float) -> Outcome:
        """The outcome of an ask that raised: asking costs nothing, so it is tried again for ever."""
        told = told_of(error)
        if not isinstance(error, WorkersAIError):
            return Again(self._next_try(part, None, now), told)
        if isinstance(error, ApiError) and error.kind is ErrorKind.GONE:
            return Ended(PartState.EXPIRED, told, error.raw)
        if isinstance(error, ApiError) and error.kind is ErrorKind.QUOTA:
            return Again(quota_is_back_at(utc_midnight_after(now), self.chance), told, error.raw)
        return Again(self._next_try(part, error.retry_after, now), told, error.raw, _pauses(error))

    def unforeseen(self, part: Part, error: Exception, now: float) -> Outcome:
        """The outcome where our own work after the call failed."""
        if part.state is PartState.IN_FLIGHT:
            return Ended(PartState.UNCONFIRMED, told_of(error))
        return Again(self._next_try(part, None, now), told_of(error))

    def not_begun(self, part: Part, error: Exception, now: float) -> Outcome:
        """The outcome where what comes before the call failed, so that nothing was sent."""
        if isinstance(error, CredentialsMissing):
            return self.send_failed(part, error, now)
        return Again(self._next_try(part, None, now), told_of(error))

    def _next_try(self, part: Part, retry_after: float | None, now: float) -> float:
        return now + wait_after_failure(part.failures + 1, retry_after, self._waits(part), self.chance)

    def _waits(self, part: Part) -> tuple[float, float]:
        return self.policy.waits(local=part.lane.local)


def _pauses(error: WorkersAIError) -> bool:
    return isinstance(error, ApiError) and error.kind is ErrorKind.RATE and error.retry_after is not None


def told_of(error: Exception) -> JobError:
    """What a person is told of an error."""
    if isinstance(error, WorkersAIError):
        return JobError(error.code, error.message, error.hint)
    if isinstance(error, CredentialsMissing):
        return JobError(None, error.message, error.hint)
    return JobError(
        None,
        f"Something unforeseen happened ({type(error).__name__}: {error}).",
        "The log has the details; please report it.",
    )


def finished(
    results: tuple[RequestResult, ...],
    problems: tuple[str, ...],
    usage: Usage | None,
    raw: bytes,
    scorer: str | None,
) -> Finished:
    """The outcome of an answer that was matched with what was sent; what did not fit is told."""
    told = [*problems]
    for index, result in enumerate(results):
        told += [f"request {index + 1}: {problem}" for problem in result.problems]
    problem = None
    if told:
        more = f" (and {len(told) - PROBLEMS_TOLD} more)" if len(told) > PROBLEMS_TOLD else ""
        problem = JobError(
            None,
            f"The answer does not fit what was sent: {'; '.join(told[:PROBLEMS_TOLD])}{more}.",
            "What could be ranked is shown; the answer is kept as it came.",
        )
    error = None
    if results and not any(result.success for result in results):
        error = JobError(
            None,
            f"No request was answered: {results[0].error or 'the service gave no reason'}",
            "See the requests for what each of them says.",
        )
    return Finished(results, usage, raw, scorer, error, problem)
