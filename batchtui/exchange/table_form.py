"""Jobs and rankings as aligned text for a terminal: safe, and as wide as it is told."""

from collections.abc import Sequence

from batchtui.clock import iso_utc
from batchtui.exchange.ranked import RankedJob, RankedRequest
from batchtui.exchange.summary import job_line, metrics_line, score_text
from batchtui.model import Job
from batchtui.text import cell_width, one_line

DEFAULT_WIDTH = 100
LONGEST_CELL = 40
_LEAST_TEXT = 20
_GAP = "  "


def write_table(ranked: RankedJob, width: int = DEFAULT_WIDTH) -> str:
    """The job, and for each request its ranking; `width` is in cells, and texts are cut to it."""
    job = ranked.job
    lines = [_cut(f"job {job.id} · {job_line(job)}", width)]
    if job.label:
        lines.append(_cut(job.label, width))
    if job.error is not None:
        lines += [_cut(job.error.message, width), _cut(job.error.hint, width)]
    if ranked.metrics is not None:
        lines.append(_cut(metrics_line(ranked.metrics), width))
    for request in ranked.requests:
        lines += ["", *_request_lines(request, width)]
    return "\n".join(line for line in lines) + "\n"


def write_jobs_table(jobs: Sequence[Job], width: int = DEFAULT_WIDTH) -> str:
    """One line a job, in the order given, under a line of column names; nothing but that for no jobs."""
    rows = [
        (
            str(job.id),
            job.state.value,
            (iso_utc(job.created_at) or "")[:19].replace("T", " "),
            f"{job.requests}×{job.contexts}",
            "" if job.usage is None else f"{job.usage.total_tokens:,}",
            "" if job.ndcg_at_10 is None else f"{job.ndcg_at_10:.2f}",
            job.model,
            job.label,
        )
        for job in jobs
    ]
    header = ("job", "state", "created (UTC)", "size", "tokens", "nDCG", "model", "label")
    return "\n".join(aligned(header, rows, right={0, 4, 5}, width=width)) + "\n"


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: set[int], width: int
) -> list[str]:
    """Safe lines of columns as wide as their cells need, numbered columns of `right` flush right.

    The last column takes what is left of `width`, and 20 cells at least; columns without a cell are left out.
    """
    places = range(len(header))
    kept = [place for place in places if any(row[place] for row in rows)] or list(places)
    cells = [[one_line(cell, LONGEST_CELL) for cell in row[: kept[-1]]] for row in rows]
    widths = {place: max(cell_width(line[place]) for line in (header, *cells)) for place in kept[:-1]}
    left = max(_LEAST_TEXT, width - sum(widths.values()) - len(_GAP) * len(widths))
    lines = []
    for line, whole in zip((header, *cells), (header, *rows), strict=True):
        parts = []
        for place, taken in widths.items():
            padding = " " * (taken - cell_width(line[place]))
            parts.append(padding + line[place] if place in right else line[place] + padding)
        parts.append(one_line(whole[kept[-1]], left))
        lines.append(_GAP.join(parts).rstrip())
    return lines


def _request_lines(request: RankedRequest, width: int) -> list[str]:
    reference = request.request.external_reference
    named = f" ({reference})" if reference else ""
    lines = [_cut(f"{request.number}{named}: {request.request.query}", width)]
    if request.metrics is not None:
        lines.append(_cut(metrics_line(request.metrics), width))
    if request.trouble is not None:
        lines.append(_cut(request.trouble, width))
    if request.rows:
        rows = [
            (
                str(row.rank),
                score_text(row.score),
                str(row.index + 1),
                "" if row.grade is None else str(row.grade),
                row.context.id or "",
                row.context.text,
            )
            for row in request.rows
        ]
        lines += aligned(
            ("rank", "score", "was", "judged", "id", "context"), rows, right={0, 1, 2, 3}, width=width
        )
    return lines


def _cut(text: str, width: int) -> str:
    return one_line(text, width)
