"""A job and its metrics each in one line of words, for the forms that people read."""

from batchtui.evaluation import Metrics
from batchtui.figures import duration
from batchtui.model import Job


def job_line(job: Job) -> str:
    """State, backend, model, tokens and how long it took; not yet made safe to show."""
    parts = [job.state.value, job.backend, job.model]
    if job.scorer:
        parts.append(job.scorer)
    if job.usage is not None:
        parts.append(f"{job.usage.total_tokens:,} tokens")
    if job.submitted_at is not None and job.finished_at is not None:
        parts.append(duration(job.finished_at - job.submitted_at))
    if job.failed_requests:
        parts.append(f"{job.failed_requests} of {job.requests} requests failed")
    return " · ".join(parts)


def metrics_line(metrics: Metrics) -> str:
    """The figures with three digits, and over how many judged contexts."""
    return (
        f"nDCG@10 {metrics.ndcg_at_10:.3f} · MRR {metrics.mrr:.3f} · MAP {metrics.map:.3f} · "
        f"P@5 {metrics.p_at_5:.3f} · {metrics.judged} judged"
    )


def score_text(score: float) -> str:
    """A score with the digits that tell half-precision scores apart."""
    return f"{score:.6f}"
