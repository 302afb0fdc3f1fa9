"""The errors of Workers AI, with their codes, HTTP statuses and envelopes; imports nothing of the project."""

import math
import uuid
from dataclasses import dataclass


class EmulatorError(Exception):
    """The emulator cannot start or go on; the message says what, where, and what helps."""


@dataclass(frozen=True)
class KnownError:
    """One row of the table of errors; `gateway` ones answer `"result": null`, the others `"result": {}`.

    `retry_after` is what a 429 asks for, in seconds, unless something else is set.
    """

    status: int
    message: str
    gateway: bool = False
    retry_after: float | None = None


AUTHENTICATION = 10000
NO_ROUTE = 7003
NO_METHOD = 7001
NO_MODEL = 5007
BAD_INPUT = 5006
MISSING_BODY = 3003
TOO_LARGE = 3006
TIMED_OUT = 3007
UPSTREAM_VALIDATION = 3030
NOT_FOUND = 5504
NO_QUEUE = 8007
INTERNAL = 8008
CAPACITY = 3040

KNOWN_ERRORS: dict[int, KnownError] = {
    AUTHENTICATION: KnownError(401, "Authentication error", gateway=True),
    1000: KnownError(400, "Invalid API Token", gateway=True),
    1031: KnownError(400, "Expired API Token", gateway=True),
    9106: KnownError(400, "Missing X-Auth-Key, X-Auth-Email or Authorization headers", gateway=True),
    9109: KnownError(403, "Unauthorized to access requested resource", gateway=True),
    7000: KnownError(404, "No route for that URI", gateway=True),
    NO_METHOD: KnownError(405, "Method not available for that URI.", gateway=True),
    NO_ROUTE: KnownError(
        404, "Could not route to {path}, perhaps your object identifier is invalid?", gateway=True
    ),
    NO_MODEL: KnownError(400, "AiError: No such model {model} or task"),
    3042: KnownError(404, "AiError: No such model {model}"),
    BAD_INPUT: KnownError(400, "AiError: Bad input: Error: {detail}"),
    MISSING_BODY: KnownError(400, "AiError: Request is missing headers or body: {detail}"),
    TOO_LARGE: KnownError(413, "AiError: Request is too large: {detail}"),
    TIMED_OUT: KnownError(408, "AiError: Request timeout: {detail}"),
    3008: KnownError(408, "AiError: Request was aborted"),
    3021: KnownError(429, "AiError: Inference requests per minute rate reached", retry_after=1),
    CAPACITY: KnownError(429, "AiError: Capacity temporarily exceeded, please try again.", retry_after=1),
    3036: KnownError(429, "AiError: You have used up your daily free allocation of 10,000 neurons"),
    4006: KnownError(429, "AiError: You have used up your daily free allocation of 10,000 neurons"),
    3041: KnownError(403, "AiError: This account is not allowed to use this model"),
    5018: KnownError(403, "AiError: This account is not allowed to use this model"),
    5016: KnownError(403, "AiError: This model must be agreed to before it can be used"),
    3023: KnownError(403, "AiError: This account is blocked from Workers AI"),
    5035: KnownError(403, "AiError: This model is not available on this plan"),
    UPSTREAM_VALIDATION: KnownError(400, "AiError: Upstream validation failed: {detail}"),
    NOT_FOUND: KnownError(404, "AiError: AiError: Request not found in queue"),
    NO_QUEUE: KnownError(400, "AiError: This model does not support request queuing"),
    8001: KnownError(500, "AiError: Invalid input"),
    INTERNAL: KnownError(500, "AiError: Internal error: {detail}"),
    3050: KnownError(503, "AiError: Max retries exhausted"),
    3043: KnownError(500, "AiError: Internal server error"),
}


class AnswerError(Exception):
    """An answer that is an error of the API: its code, its words, and what goes with them."""

    def __init__(
        self,
        code: int,
        *,
        detail: str = "as asked of the emulator",
        path: str = "the path",
        model: str = "of that name",
        retry_after: float | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        known = KNOWN_ERRORS[code]
        self.code = code
        self.status = known.status
        self.gateway = known.gateway
        self.message = (
            known.message.replace("{detail}", detail).replace("{path}", path).replace("{model}", model)
        )
        if not known.gateway:
            self.message += f" ({uuid.uuid4()})"
        self.headers = dict(headers or {})
        wait = known.retry_after if retry_after is None else retry_after
        if known.status == 429 and wait is not None:
            self.headers["retry-after"] = str(math.ceil(wait))
        super().__init__(self.message)


def bad_input(detail: str) -> AnswerError:
    """Code 5006; `detail` names the property, as a JSON pointer such as '/requests/0/query'."""
    return AnswerError(BAD_INPUT, detail=detail)


def not_found() -> AnswerError:
    """Code 5504: an unknown, expired or dropped batch."""
    return AnswerError(NOT_FOUND)
