"""The one door to jobs, for the screens and for the command line."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from batchtui.clock import Clock
from batchtui.jobs.calls import Clients
from batchtui.jobs.changes import Changes
from batchtui.jobs.database import Database
from batchtui.jobs.draft_store import DraftStore
from batchtui.jobs.errors import NoSuchJob
from batchtui.jobs.follower import ThreadWorker
from batchtui.jobs.following import Following, settled
from batchtui.jobs.job_actions import JobActions
from batchtui.jobs.job_store import JobStore
from batchtui.jobs.judgment_store import JudgmentStore
from batchtui.jobs.part_store import PartStore, RawAnswer
from batchtui.jobs.parts import check_batch, plan_parts, takes_batches
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.search import JobQuery
from batchtui.jobs.submission import prepare
from batchtui.model import OPEN_STATES, Batch, Draft, Job, JobState, Request, RequestResult

ALL_JOBS = JobQuery()


class JobsService:
    """Jobs, drafts and judgments in one store, and the follower of the open jobs.

    All but `run_follower` and `follow_until…` may be called from any thread, and block for
    milliseconds (a submit for longer with megabytes to write). They raise StoreError where the store fails.
    """

    def __init__(
        self,
        database: Database,
        clients: Clients,
        clock: Clock,
        policy: FollowPolicy,
        *,
        linear_gain: bool = False,
    ) -> None:
        self._database = database
        self._clients = clients
        self._policy = policy
        self._jobs = JobStore(database, clock)
        self._actions = JobActions(database, clock)
        self._parts = PartStore(database, clock)
        self._judgments = JudgmentStore(database, clock)
        self.linear_gain = linear_gain
        self._judgments.use_gain(linear=linear_gain)
        self._drafts = DraftStore(database, clock)
        self._worker = ThreadWorker()
        self._changes = Changes(database, clock, self._worker)
        self._following = Following(
            database, clients, clock, policy, self._parts, self._worker, self._changes
        )

    @classmethod
    def open(
        cls,
        database: Path,
        clients: Clients,
        clock: Clock,
        policy: FollowPolicy,
        *,
        linear_gain: bool = False,
    ) -> "JobsService":
        """Open the store, made where there is none; `linear_gain` is for its nDCG@10. Raises StoreError."""
        store = Database(database)
        try:
            return cls(store, clients, clock, policy, linear_gain=linear_gain)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Close the store; the follower must have ended."""
        self._worker.close()
        self._database.close()

    def submit(self, batch: Batch, *, backend: str, label: str | None = None) -> Job:
        """Write the batch as a job, in as many parts as it takes; the follower sends it.

        Raises InvalidBatch or RequestTooLarge, with the place, before anything is written.
        """
        check_batch(batch)
        batches = takes_batches(batch.model)
        planned = plan_parts(batch, self._policy.part_limit_bytes, takes_batches=batches)
        submission = prepare(
            batch,
            planned,
            backend=backend,
            account_id=self._clients.account_id(backend),
            label=label,
            takes_batches=batches,
        )
        return self._jobs.insert(submission)

    def count(self, query: JobQuery = ALL_JOBS) -> int:
        """How many jobs the query finds."""
        return self._jobs.count(query)

    def page(self, query: JobQuery, offset: int, limit: int) -> list[Job]:
        """At most `limit` jobs from place `offset` on, in the query's order."""
        return self._jobs.page(query, offset, limit)

    def position(self, query: JobQuery, job_id: int) -> int | None:
        """The place of a job in what the query finds, from 0; None where it is not in it."""
        return self._jobs.position(query, job_id)

    def job(self, job_id: int) -> Job | None:
        """One job, deleted ones too."""
        return self._jobs.job(job_id)

    def last_job(self) -> Job | None:
        """The newest job that is not deleted."""
        return self._jobs.last_job()

    def earlier_with_same_queries(self, job_id: int) -> Job | None:
        """The newest older job that has every query of this one; None where there is none."""
        return self._jobs.earlier_with_same_queries(job_id)

    def earlier_with_same_contexts(self, job_id: int) -> Job | None:
        """The newest older job with the contexts of this one's first request; None where there is none."""
        return self._jobs.earlier_with_same_contexts(job_id)

    def batch(self, job_id: int) -> Batch:
        """The batch as it was submitted, to the byte. Raises NoSuchJob."""
        return self._jobs.batch(job_id)

    def request(self, job_id: int, request_index: int) -> Request | None:
        """One request of a job (from 0), read alone."""
        return self._jobs.request(job_id, request_index)

    def results(self, job_id: int) -> tuple[RequestResult, ...] | None:
        """One result for each request in order; None while there is none at all."""
        return self._parts.results(job_id)

    def result(self, job_id: int, request_index: int) -> RequestResult | None:
        """The result of one request (from 0), read alone."""
        return self._parts.result(job_id, request_index)

    def raw_answers(self, job_id: int) -> list[RawAnswer]:
        """What the service answered, to the byte."""
        return self._parts.raw_answers(job_id)

    def set_label(self, job_id: int, text: str) -> None:
        """Name the job."""
        self._actions.set_label(job_id, text)

    def set_note(self, job_id: int, text: str) -> None:
        """Write beside the job."""
        self._actions.set_note(job_id, text)

    def set_pinned(self, job_id: int, pinned: bool) -> None:
        """Keep the job on top of the list, or let it go."""
        self._actions.set_pinned(job_id, pinned)

    def delete(self, job_id: int) -> None:
        """Put the job away; it can be undeleted for a day at least."""
        self._actions.delete(job_id)

    def undelete(self, job_id: int) -> None:
        """Bring a deleted job back."""
        self._actions.undelete(job_id)

    def ask_now(self, job_id: int) -> None:
        """Send or ask for the job now, ahead of what else is due."""
        self._actions.ask_now(job_id)

    def stop(self, job_id: int) -> None:
        """Follow the job no more, until `follow`."""
        self._actions.stop(job_id)

    def follow(self, job_id: int) -> None:
        """Follow a stopped job again."""
        self._actions.follow(job_id)

    def resubmit(self, job_id: int) -> Job:
        """Send what is unconfirmed, failed or expired of the job again, in the same job."""
        self._actions.resubmit(job_id)
        job = self._jobs.job(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        return job

    def forget(self, job_id: int) -> None:
        """End what is unconfirmed of the job as failed, in words that say the person chose so."""
        self._actions.forget(job_id)

    def tokens_since(self, epoch_seconds: float, backend: str) -> int:
        """Tokens of the backend's jobs that were submitted since then, deleted ones too."""
        return self._jobs.tokens_since(epoch_seconds, backend)

    def tokens_per_byte(self, model: str, backend: str) -> float | None:
        """Tokens for each byte of body, learned from finished jobs; None before the first."""
        return self._jobs.tokens_per_byte(model, backend)

    def open_count(self) -> int:
        """How many jobs are still followed."""
        return self._jobs.count(JobQuery(states=OPEN_STATES))

    def drafts(self) -> list[Draft]:
        """All drafts in the order in which they were begun."""
        return self._drafts.drafts()

    def save_draft(self, draft: Draft) -> Draft:
        """Write a draft, whole or not at all, and return it as kept; id 0 is a new one."""
        return self._drafts.save(draft)

    def delete_draft(self, draft_id: int) -> None:
        """Remove a draft; one that is not there is no error."""
        self._drafts.delete(draft_id)

    def judge(self, query: str, text: str, grade: int | None) -> None:
        """Grade a context (0 to 3) for a query in every job, or take the grade away with None."""
        self._judgments.judge(query, text, grade)

    def judgments(self, query: str, texts: Sequence[str]) -> dict[int, int]:
        """The grades of those of the texts that are judged for the query, by their index."""
        return self._judgments.judgments(query, texts)

    def version(self) -> int:
        """A number that changes whenever any process wrote to the store."""
        return self._database.version()

    def subscribe(self, listener: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """Have `listener` told the ids of changed jobs while a follower runs; returns what ends it."""
        return self._changes.subscribe(listener)

    async def run_follower(self) -> None:
        """Follow all open jobs until cancelled."""
        await self._following.run()

    async def follow_until_done(self, job_ids: Iterable[int]) -> list[Job]:
        """Follow until the jobs have ended, were deleted, or the person must decide; as they then are."""
        return await self._following.until(job_ids, settled)

    async def follow_until_sent(self, job_ids: Iterable[int]) -> list[Job]:
        """Follow until the jobs are sent, or the first try to send them failed; as they then are."""
        return await self.follow_until(
            job_ids, lambda job: job.state != JobState.SENDING or bool(job.problem)
        )

    async def follow_until(self, job_ids: Iterable[int], enough: Callable[[Job], bool]) -> list[Job]:
        """Follow until each of the jobs is `enough` or deleted, and return them. Raises NoSuchJob."""
        return await self._following.until(job_ids, enough)
