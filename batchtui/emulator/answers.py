"""Answers in the API's envelopes."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from batchtui.emulator.errors import AnswerError
from batchtui.emulator.frames import Outcome
from batchtui.emulator.moods import FAILED_BY_MOOD, Plan
from batchtui.emulator.validation import ScoringRequest

encode = msgspec.json.encode


def envelope(result: object, messages: Sequence[dict[str, object]] = ()) -> dict[str, object]:
    """What a call that went well answers."""
    return {"result": result, "success": True, "errors": [], "messages": list(messages)}


def error_envelope(fault: AnswerError) -> bytes:
    """What a call that failed answers; the gateway says null where the AI layer says {}."""
    return encode(
        {
            "errors": [{"message": fault.message, "code": fault.code}],
            "success": False,
            "result": None if fault.gateway else {},
            "messages": [],
        }
    )


def batch_status(status: str, request_id: str, model: str) -> bytes:
    """The answer to a submit, and to collecting what is not finished."""
    return encode(envelope({"status": status, "request_id": request_id, "model": model}))


def batch_failed(request_id: str, model: str, code: int, message: str) -> bytes:
    """The answer of a batch that failed as a whole."""
    return encode(
        envelope(
            {
                "status": "failed",
                "request_id": request_id,
                "model": model,
                "error": {"code": code, "message": message},
            }
        )
    )


def batch_complete(requests: Sequence[ScoringRequest], outcomes: Sequence[Outcome], plan: Plan) -> bytes:
    """The answer of a finished batch, encoded request by request, so that other threads get their turn."""
    draw = None if plan.order_seed is None else random.Random(plan.order_seed)
    failing = set(plan.failing)
    answers: list[msgspec.Raw] = []
    tokens = 0
    for place, (request, outcome) in enumerate(zip(requests, outcomes, strict=True)):
        shown = Outcome(error=FAILED_BY_MOOD) if place in failing else outcome
        tokens += shown.tokens
        answer = _response(place, request, shown, draw, "index" if plan.results_index else "id")
        answers.append(msgspec.Raw(encode(answer)))
    if draw is not None:
        draw.shuffle(answers)
    name = "results" if plan.results_index else "responses"
    return encode(envelope({name: answers, "usage": usage(tokens)}))


def run_result(request: ScoringRequest, outcome: Outcome) -> dict[str, object]:
    """The result of one request: scores by place, or the highest `top_k`; or embeddings."""
    if outcome.vectors is not None:
        name = "data" if request.wraps_data else "response"
        width = len(outcome.vectors[0]) if outcome.vectors else 0
        return {name: outcome.vectors, "shape": [len(outcome.vectors), width], "pooling": "cls"}
    return {"response": _scores(outcome)}


def rerank_result(request: ScoringRequest, outcome: Outcome) -> dict[str, object]:
    """The result of a reranker: highest score first, ties by place, `top_k` of them."""
    ordered = sorted(_scores(outcome), key=lambda entry: -entry["score"])
    return {"response": ordered[: request.top_k]}


def usage(tokens: int) -> dict[str, int]:
    """Tokens as the API gives them; a scorer completes nothing."""
    return {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}


def _response(
    place: int, request: ScoringRequest, outcome: Outcome, draw: random.Random | None, key: str
) -> dict[str, object]:
    answer: dict[str, object] = {key: place, "success": outcome.error is None}
    if outcome.error is not None:
        answer["error"] = {"message": _ai_error(outcome.error)}
    else:
        result = run_result(request, outcome)
        if draw is not None and outcome.scores is not None:
            result["response"] = draw.sample(_scores(outcome), len(outcome.scores))
        answer["result"] = result
    answer["external_reference"] = request.external_reference
    return answer


def _scores(outcome: Outcome) -> list[dict[str, Any]]:
    return [{"id": place, "score": score} for place, score in enumerate(outcome.scores or ())]


def _ai_error(message: str) -> str:
    return message if message.startswith("AiError") else f"AiError: {message}"
