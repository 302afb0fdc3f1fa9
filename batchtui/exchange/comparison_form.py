"""A comparison of jobs as JSON, and as text for a terminal."""

from typing import Any

from batchtui.comparison import ComparedContext, ComparedRequest, Comparison, Place
from batchtui.exchange.json_form import job_object, metrics_object
from batchtui.exchange.summary import job_line, metrics_line
from batchtui.exchange.table_form import DEFAULT_WIDTH, aligned
from batchtui.text import one_line


def comparison_object(comparison: Comparison) -> dict[str, Any]:
    """What `compare --json` prints: the jobs with their means, the verdicts, and each query's contexts."""
    return {
        "jobs": [
            {**job_object(job), "metrics": metrics_object(metrics), "requests_left_out": left_out}
            for job, metrics, left_out in zip(
                comparison.jobs, comparison.metrics, comparison.left_out, strict=True
            )
        ],
        "verdicts": [
            None
            if verdict is None
            else {
                "job": verdict.job_id,
                "against": comparison.jobs[0].id,
                "judged_queries": verdict.queries,
                "ndcg@10_difference": verdict.test.mean,
                "better": verdict.test.better,
                "worse": verdict.test.worse,
                "same": verdict.test.same,
                "p_value": verdict.test.p_value,
                "within_chance": verdict.test.within_chance,
            }
            for verdict in comparison.verdicts
        ],
        "requests": [_request_object(request) for request in comparison.requests],
    }


def write_comparison(comparison: Comparison, width: int = DEFAULT_WIDTH) -> str:
    """The jobs, which is better, and each query's contexts side by side; `width` is in cells."""
    lines = []
    for place, job in enumerate(comparison.jobs):
        lines.append(one_line(f"job {job.id} · {job_line(job)}", width))
        if metrics := comparison.metrics[place]:
            lines.append(_indented(metrics_line(metrics), width))
        if verdict := comparison.verdicts[place - 1] if place else None:
            lines.append(_indented(f"against job {comparison.jobs[0].id}: {verdict.sentence}", width))
        if left_out := comparison.left_out[place]:
            lines.append(_indented(f"{left_out} of its requests are not in every job", width))
    for request in comparison.requests:
        lines += ["", *_request_lines(comparison, request, width)]
    return "\n".join(lines) + "\n"


def _indented(text: str, width: int) -> str:
    return f"  {one_line(text, max(width - 2, 1))}"


def _request_lines(comparison: Comparison, request: ComparedRequest, width: int) -> list[str]:
    lines = [one_line(f"{request.numbers[0]}: {' → '.join(dict.fromkeys(request.queries))}", width)]
    for job, agreement in zip(comparison.jobs[1:], request.agreements, strict=True):
        if agreement.kendall_tau is not None and agreement.rank_biased_overlap is not None:
            lines.append(
                f"job {job.id}: Kendall's tau {agreement.kendall_tau:.3f} · "
                f"rank-biased overlap {agreement.rank_biased_overlap:.3f}"
            )
    header = (*(f"job {job.id}" for job in comparison.jobs), "moved", "judged", "id", "context")
    rows = [
        (
            *(place_text(place) for place in context.places),
            moved_text(context),
            "" if context.grade is None else str(context.grade),
            context.context.id or "",
            context.context.text,
        )
        for context in request.contexts
    ]
    return [*lines, *aligned(header, rows, right=set(range(len(comparison.jobs))), width=width)]


def place_text(place: Place | None) -> str:
    """Rank and score of a context in one job."""
    if place is None:
        return "not sent"
    if place.rank is None or place.score is None:
        return "no score"
    return f"{place.rank:>3} {place.score:.4f}"


def moved_text(context: ComparedContext) -> str:
    """How far a context rose (↑) or fell (↓) from the first job to the last."""
    moved = context.moved
    if moved is None:
        return ""
    return "=" if moved == 0 else f"{'↑' if moved > 0 else '↓'}{abs(moved)}"


def _request_object(request: ComparedRequest) -> dict[str, Any]:
    return {
        "query": request.queries[-1],
        "queries": list(request.queries),
        "metrics": [metrics_object(metrics) for metrics in request.metrics],
        "agreement": [
            {"kendall_tau": agreement.kendall_tau, "rank_biased_overlap": agreement.rank_biased_overlap}
            for agreement in request.agreements
        ],
        "contexts": [
            {
                "id": context.context.id,
                "text": context.context.text,
                "grade": context.grade,
                "places": [
                    None if place is None else {"rank": place.rank, "score": place.score}
                    for place in context.places
                ],
                "moved": context.moved,
            }
            for context in request.contexts
        ],
    }
