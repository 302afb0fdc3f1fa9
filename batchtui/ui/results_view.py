"""What the Results pane shows of one request of a job, read in one go and off the screen's thread."""

import msgspec

from batchtui.evaluation import Metrics, evaluate
from batchtui.figures import count, duration
from batchtui.jobs.service import JobsService
from batchtui.model import Job, JobState, Request, RequestResult
from batchtui.text import one_line
from batchtui.workers_ai.catalogue import KNOWN, estimate


class ResultsView(msgspec.Struct, frozen=True):
    """One request of a job with what came back for it and how it was judged."""

    job: Job
    request_index: int
    request: Request
    result: RequestResult | None
    grades: dict[int, int]

    @property
    def metrics(self) -> Metrics | None:
        """The metrics of this ranking; None where nothing is judged or nothing is ranked."""
        return metrics_of(self.result, self.grades)


def metrics_of(result: RequestResult | None, grades: dict[int, int]) -> Metrics | None:
    """Evaluate a ranking by the grades of its contexts; None where there is nothing to evaluate."""
    if result is None or result.ranking is None or not grades:
        return None
    return evaluate([grades.get(entry.index) for entry in result.ranking.entries])


def load_view(service: JobsService, job_id: int, request_index: int) -> ResultsView | None:
    """Read it from the store; None where the job is gone."""
    job = service.job(job_id)
    if job is None:
        return None
    index = max(0, min(request_index, job.requests - 1))
    request = service.request(job_id, index)
    if request is None:
        return None
    grades = service.judgments(request.query, [context.text for context in request.contexts])
    return ResultsView(job, index, request, service.result(job_id, index), grades)


def state_line(job: Job, now: float) -> str:
    """How the job stands, in words: state, time it took, tokens and dollars."""
    if job.state is JobState.DONE:
        parts = [f"done in {duration((job.finished_at or now) - job.created_at)}"]
        if job.failed_requests:
            parts.append(f"{job.failed_requests} of {job.requests} requests failed")
        return " · ".join(parts + usage_parts(job))
    waited = duration(max(now - (job.submitted_at or job.created_at), 0))
    lines = {
        JobState.SENDING: f"sending for {waited}",
        JobState.QUEUED: f"queued for {waited}",
        JobState.RUNNING: f"running for {waited}",
        JobState.FAILED: "failed",
        JobState.UNCONFIRMED: "unconfirmed: sent, but the answer never came",
        JobState.EXPIRED: "expired: Workers AI no longer knows this batch",
        JobState.STOPPED: "stopped: not followed any more",
    }
    text = lines[job.state]
    if job.state.open and job.next_ask_at is not None and job.next_ask_at > now + 1:
        text += f" · asked next in {duration(job.next_ask_at - now)}"
    return text


def usage_parts(job: Job) -> list[str]:
    """Tokens as prompt + completion, and what they cost where the backend bills."""
    usage = job.usage
    if usage is None:
        return ["tokens not reported"]
    parts = [
        f"{usage.total_tokens:,} tokens "
        f"({usage.prompt_tokens:,} prompt + {usage.completion_tokens:,} completion)"
    ]
    if job.backend != "local":
        model = KNOWN.get(job.model)
        cost = estimate(model, usage.prompt_tokens) if model else None
        if cost is not None:
            parts.append(f"{cost.neurons:.2f} neurons ≈ ${cost.dollars:.5f}")
    return parts


def trouble_lines(job: Job) -> list[str]:
    """What went or goes wrong with the job as a whole, and what to do about it."""
    lines = []
    for problem in (job.error, job.problem):
        if problem is not None:
            code = f" ({problem.code})" if problem.code is not None else ""
            lines.append(f"{one_line(problem.message, 300)}{code}")
            if problem.hint:
                lines.append(f"→ {problem.hint}")
    return lines


def metrics_line(metrics: Metrics, contexts: int) -> str:
    """The metrics of one ranking in a line."""
    return (
        f"nDCG@10 {metrics.ndcg_at_10:.2f} · MRR {metrics.mrr:.2f} · P@5 {metrics.p_at_5:.2f} · "
        f"{metrics.judged} of {count(contexts)} judged"
    )
