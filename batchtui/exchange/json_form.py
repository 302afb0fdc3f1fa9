"""Jobs and batches as JSON and JSONL: what `jobs --json` and `show --json` print, and what reads back in."""

import math
from typing import Any

from batchtui.clock import iso_utc
from batchtui.evaluation import Metrics
from batchtui.exchange.json_text import to_json
from batchtui.exchange.ranked import Grades, RankedJob, RankedRequest, grades_in
from batchtui.model import DEFAULT_MODEL, Batch, Job, Request


def job_object(job: Job) -> dict[str, Any]:
    """A job as `jobs --json` prints it; times are ISO 8601 in UTC."""
    usage = job.usage
    error = job.error
    return {
        "id": job.id,
        "state": job.state.value,
        "label": job.label,
        "backend": job.backend,
        "model": job.model,
        "request_id": job.request_id,
        "created_at": iso_utc(job.created_at),
        "submitted_at": iso_utc(job.submitted_at),
        "finished_at": iso_utc(job.finished_at),
        "requests": job.requests,
        "contexts": job.contexts,
        "usage": None
        if usage is None
        else {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
        "error": None
        if error is None
        else {"code": error.code, "message": error.message, "hint": error.hint},
    }


def metrics_object(metrics: Metrics | None) -> dict[str, Any] | None:
    """Metrics under the names that `show --json` and `compare --json` give them."""
    if metrics is None:
        return None
    return {
        "ndcg@10": metrics.ndcg_at_10,
        "mrr": metrics.mrr,
        "map": metrics.map,
        "p@5": metrics.p_at_5,
        "judged": metrics.judged,
    }


def ranked_job_object(ranked: RankedJob) -> dict[str, Any]:
    """A job with its rankings, as `show --json` prints it."""
    return {
        **job_object(ranked.job),
        "requests": [_request_object(request) for request in ranked.requests],
        "metrics": metrics_object(ranked.metrics),
    }


def write_json(ranked: RankedJob) -> str:
    """The object of `show --json`, indented."""
    return to_json(ranked_job_object(ranked), indent=2) + "\n"


def write_jsonl(batch: Batch, grades: Grades | None = None) -> str:
    """A batch as one request a line, which reads back in as the same batch with `grades` as relevance.

    Without `grades` the contexts keep their own relevance. A model that is not the default, and the settings,
    stand in every line, so that a part of the lines is still right.
    """
    grades = grades_in(batch) if grades is None else grades
    settings: dict[str, Any] = {}
    if batch.model != DEFAULT_MODEL:
        settings["model"] = batch.model
    if batch.truncate_inputs is not None:
        settings["truncate_inputs"] = batch.truncate_inputs
    if batch.top_k is not None:
        settings["top_k"] = batch.top_k
    return "".join(
        to_json(_line_object(request, grades[position]) | settings) + "\n"
        for position, request in enumerate(batch.requests)
    )


def _line_object(request: Request, grades: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"query": request.query}
    if request.external_reference is not None:
        line["external_reference"] = request.external_reference
    line["contexts"] = contexts = []
    for index, context in enumerate(request.contexts):
        item: dict[str, Any] = {"text": context.text}
        if context.id is not None:
            item["id"] = context.id
        if grades.get(index) is not None:
            item["relevance"] = grades[index]
        contexts.append(item)
    return line


def _request_object(ranked: RankedRequest) -> dict[str, Any]:
    return {
        "external_reference": ranked.request.external_reference,
        "query": ranked.request.query,
        "success": None if ranked.result is None else ranked.result.success,
        "error": ranked.trouble,
        "ranking": [
            {
                "rank": row.rank,
                "index": row.index,
                "id": row.context.id,
                "score": row.score if math.isfinite(row.score) else None,
                "text": row.context.text,
            }
            for row in ranked.rows
        ],
        "metrics": metrics_object(ranked.metrics),
    }
