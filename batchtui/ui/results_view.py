"""What the Results pane shows of one request of a job, read in one go and off the screen's thread."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from batchtui.clock import iso_utc
from batchtui.evaluation import Metrics, evaluate_ranking, histogram
from batchtui.figures import count, duration, size
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
    earlier: Job | None = None
    linear_gain: bool = False

    @property
    def metrics(self) -> Metrics | None:
        """The metrics of this ranking; None where nothing is judged or nothing is ranked."""
        if self.result is None:
            return None
        return evaluate_ranking(self.result.ranking, self.grades, linear_gain=self.linear_gain)


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
    earlier = service.earlier_with_same_queries(job_id)
    return ResultsView(
        job, index, request, service.result(job_id, index), grades, earlier, service.linear_gain
    )


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
    """Total tokens (prompt + completion), and what they cost where the backend bills."""
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


def times_line(job: Job) -> str:
    """When the job was sent, how long it was queued and ran, and its request_id."""
    parts = []
    if job.submitted_at is not None:
        parts.append(f"sent {datetime.fromtimestamp(job.submitted_at).strftime('%Y-%m-%d %H:%M:%S')}")
        if job.finished_at is not None:
            started = job.started_at or job.finished_at
            parts.append(f"queued {duration(started - job.submitted_at)}")
            if job.started_at is not None:
                parts.append(f"ran {duration(job.finished_at - job.started_at)}")
    if job.request_id:
        parts.append(one_line(job.request_id, 40))
    return " · ".join(parts)


def details(view: ResultsView, now: float) -> str:
    """All that is known of the job, a line each."""
    job, usage = view.job, view.job.usage
    known: list[tuple[str, object]] = [
        ("job", job.id),
        ("label", job.label),
        ("note", job.note),
        ("state", state_line(job, now)),
        ("backend", job.backend),
        ("model", job.model),
        ("scored by", job.scorer),
        ("account", job.account_id),
        ("request_id", job.request_id),
        ("written", iso_utc(job.created_at)),
        ("sent", iso_utc(job.submitted_at)),
        ("running since", iso_utc(job.started_at)),
        ("finished", iso_utc(job.finished_at)),
        ("asked next", iso_utc(job.next_ask_at)),
        ("requests", f"{job.requests:,}, of which {job.failed_requests:,} failed"),
        ("contexts", f"{job.contexts:,}"),
        ("parts", f"{job.parts:,}, of which {job.parts_done:,} done"),
        ("body", size(job.body_bytes)),
        ("prompt tokens", usage and f"{usage.prompt_tokens:,}"),
        ("completion tokens", usage and f"{usage.completion_tokens:,}"),
        ("total tokens", usage and f"{usage.total_tokens:,}"),
        ("external_reference", view.request.external_reference),
    ]
    lines = [f"{name:<20} {one_line(str(value))}" for name, value in known if value not in (None, "")]
    return "\n".join([*lines, *trouble_lines(job)])


def job_metric_line(view: ResultsView) -> str:
    """The mean over the job's judged requests, and the difference to the last job with the same queries."""
    now, earlier = view.job.ndcg_at_10, view.earlier
    if now is None or (view.job.requests == 1 and (earlier is None or earlier.ndcg_at_10 is None)):
        return ""
    line = f"nDCG@10 of the job {now:.4f}"
    if earlier is not None and earlier.ndcg_at_10 is not None:
        line += f" ({now - earlier.ndcg_at_10:+.4f} on job {earlier.id})"
    return line


def spread_line(scores: Sequence[float], cells: int = 24) -> str:
    """How many scores lie where between the lowest and the highest; nothing below three scores."""
    if len(scores) < 3:
        return ""
    counts = histogram(scores, cells)
    most = max(counts)
    drawn = "".join(" ▁▂▃▄▅▆▇█"[-(-count * 8 // most)] for count in counts)
    return f"spread {min(scores):.3f} ▕{drawn}▏ {max(scores):.3f}"


def trouble_lines(job: Job) -> list[str]:
    """What went or goes wrong with the job as a whole, and what to do about it."""
    lines = []
    for problem in (job.error, job.problem):
        if problem is not None:
            code = f" ({problem.code})" if problem.code is not None else ""
            lines.append(f"{one_line(problem.message, 300)}{code}")
            if problem.hint:
                lines.append(f"→ {one_line(problem.hint, 300)}")
    if job.state is JobState.UNCONFIRMED:
        lines.append("→ s: submit it again, or forget it")
    elif job.state in (JobState.FAILED, JobState.EXPIRED):
        lines.append("→ s: submit it again; r: change it first")
    return lines


def metrics_line(metrics: Metrics, contexts: int) -> str:
    """The metrics of one ranking in a line."""
    return (
        f"nDCG@10 {metrics.ndcg_at_10:.2f} · MRR {metrics.mrr:.2f} · P@5 {metrics.p_at_5:.2f} · "
        f"{metrics.judged} of {count(contexts)} judged"
    )
